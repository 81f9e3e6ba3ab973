//! The hardware key behind the passcode. A guess costs n sequential calls of it, which a lab cannot take off
//! the device; this is what makes eight digits worth something.

use core::fmt;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::{kdf, random};

/// Longest alias in bytes.
pub const MAX_ALIAS: usize = 64;

/// Why a hardware key did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// There is no key of this alias, or it was destroyed.
    #[error("the hardware key is gone")]
    Gone,
    /// The key store is there but does not answer now.
    #[error("the hardware key does not answer")]
    Unavailable,
    /// This device has no hardware key.
    #[error("no hardware key")]
    NoHardware,
}

/// Whether one hardware key serves all four slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardScope {
    /// One chain of calls for all slots (Android: HMAC in the key store).
    PerDevice,
    /// A chain of its own for each slot (iOS: four Secure Enclave keys, all always tried).
    PerSlot,
}

/// A hardware key. Implemented by the shells; a call takes 5 to 80 ms.
pub trait KeyGuard: Send + Sync {
    /// Tells whether the chain is made once or for each slot.
    fn scope(&self) -> GuardScope;

    /// Makes one call of the hardware: a keyed function of the input, 32 bytes. `slot` is 0 to 3, and 0 for
    /// [`GuardScope::PerDevice`].
    ///
    /// # Errors
    /// [`GuardError`].
    fn derive(&self, alias: &str, slot: u8, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, GuardError>;

    /// Makes new hardware keys and returns their alias, at most [`MAX_ALIAS`] bytes.
    ///
    /// # Errors
    /// [`GuardError`].
    fn make_alias(&self) -> Result<String, GuardError>;

    /// Destroys the hardware keys of an alias: this ends the passcode that stood on them. An alias that is
    /// gone already is no error.
    ///
    /// # Errors
    /// [`GuardError::Unavailable`].
    fn delete_alias(&self, alias: &str) -> Result<(), GuardError>;
}

/// No hardware: the desk's guard (n = 0). It is never called.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGuard;

impl KeyGuard for NoGuard {
    fn scope(&self) -> GuardScope {
        GuardScope::PerDevice
    }

    fn derive(&self, _: &str, _: u8, _: &[u8]) -> Result<Zeroizing<[u8; 32]>, GuardError> {
        Err(GuardError::NoHardware)
    }

    fn make_alias(&self) -> Result<String, GuardError> {
        Ok(String::new())
    }

    fn delete_alias(&self, _: &str) -> Result<(), GuardError> {
        Ok(())
    }
}

/// A guard in software that counts its calls: for tests, scripted devices and emulators. **It is not
/// hardware**: whoever has the seed guesses without the device.
pub struct SoftGuard {
    seed: Zeroizing<[u8; 32]>,
    scope: GuardScope,
    gone: Mutex<BTreeSet<String>>,
    calls: AtomicU64,
}

impl SoftGuard {
    /// Makes a guard with a random seed, forgotten with the value.
    #[must_use]
    pub fn make() -> Self {
        Self::from_seed(&random::make())
    }

    /// Makes the guard of a seed. Destroyed aliases are remembered by this value only.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self {
            seed: Zeroizing::new(*seed),
            scope: GuardScope::PerDevice,
            gone: Mutex::new(BTreeSet::new()),
            calls: AtomicU64::new(0),
        }
    }

    /// Sets the scope.
    #[must_use]
    pub fn with_scope(mut self, scope: GuardScope) -> Self {
        self.scope = scope;
        self
    }

    /// Returns how often [`KeyGuard::derive`] was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for SoftGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftGuard({} calls)", self.calls())
    }
}

impl KeyGuard for SoftGuard {
    fn scope(&self) -> GuardScope {
        self.scope
    }

    fn derive(&self, alias: &str, slot: u8, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, GuardError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self
            .gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(alias)
        {
            return Err(GuardError::Gone);
        }
        let key = Zeroizing::new(kdf::derive_mac(self.seed.as_ref(), &[alias.as_bytes(), &[slot]]));
        Ok(Zeroizing::new(kdf::derive_mac(key.as_ref(), &[input])))
    }

    fn make_alias(&self) -> Result<String, GuardError> {
        Ok(format!("soft-{}", hex::encode(random::make::<8>())))
    }

    fn delete_alias(&self, alias: &str) -> Result<(), GuardError> {
        self.gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(alias.to_owned());
        Ok(())
    }
}
