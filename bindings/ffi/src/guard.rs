//! The hardware key of the platform, implemented by the shells (Android: HMAC key in the key store; iOS: Secure
//! Enclave). The border adds nothing to it but a check of lengths; secrets that come back are wiped after use.

use std::fmt;
use std::sync::Arc;

use landfall_field as field;
use zeroize::Zeroizing;

use crate::caught::silently;

/// Why a hardware key did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
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

/// Whatever else foreign code throws. Its text is dropped.
impl From<uniffi::UnexpectedUniFFICallbackError> for GuardError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> GuardError {
        GuardError::Unavailable
    }
}

impl From<GuardError> for field::GuardError {
    fn from(cause: GuardError) -> field::GuardError {
        match cause {
            GuardError::Gone => field::GuardError::Gone,
            GuardError::Unavailable => field::GuardError::Unavailable,
            GuardError::NoHardware => field::GuardError::NoHardware,
        }
    }
}

/// Whether one hardware key serves all four slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum GuardScope {
    /// One chain of calls for all slots (Android).
    PerDevice,
    /// A chain of its own for each slot (iOS).
    PerSlot,
}

/// A hardware key.
#[uniffi::export(foreign)]
pub trait KeyGuard: Send + Sync + fmt::Debug {
    /// Tells whether the chain is made once or for each slot.
    ///
    /// # Errors
    /// [`GuardError`].
    fn scope(&self) -> Result<GuardScope, GuardError>;

    /// Makes one call of the hardware: a keyed function of the input that yields 32 bytes. Slot is 0 to 3.
    ///
    /// # Errors
    /// [`GuardError`].
    fn derive(&self, alias: String, slot: u8, input: Vec<u8>) -> Result<Vec<u8>, GuardError>;

    /// Makes new hardware keys and returns their alias, at most 64 bytes.
    ///
    /// # Errors
    /// [`GuardError`].
    fn make_alias(&self) -> Result<String, GuardError>;

    /// Destroys the hardware keys of an alias. One that is gone already is no error.
    ///
    /// # Errors
    /// [`GuardError`].
    fn delete_alias(&self, alias: String) -> Result<(), GuardError>;
}

/// A foreign guard as field asks it.
#[derive(Debug)]
pub(crate) struct Guard {
    foreign: Arc<dyn KeyGuard>,
    scope: field::GuardScope,
}

impl Guard {
    /// Asks the scope once: it belongs to the platform and never changes.
    pub(crate) fn of(foreign: Arc<dyn KeyGuard>) -> Result<Guard, crate::FieldError> {
        let scope = match asked(|| foreign.scope()) {
            Ok(GuardScope::PerDevice) => field::GuardScope::PerDevice,
            Ok(GuardScope::PerSlot) => field::GuardScope::PerSlot,
            Err(_) => return Err(crate::FieldError::Busy),
        };
        Ok(Guard { foreign, scope })
    }
}

fn asked<T>(work: impl FnOnce() -> Result<T, GuardError>) -> Result<T, field::GuardError> {
    silently(work)
        .unwrap_or(Err(GuardError::Unavailable))
        .map_err(Into::into)
}

impl field::KeyGuard for Guard {
    fn scope(&self) -> field::GuardScope {
        self.scope
    }

    fn derive(&self, alias: &str, slot: u8, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, field::GuardError> {
        let answer = Zeroizing::new(asked(|| {
            self.foreign.derive(alias.to_owned(), slot, input.to_vec())
        })?);
        let mut key = Zeroizing::new([0; 32]);
        if answer.len() != key.len() {
            return Err(field::GuardError::Unavailable);
        }
        key.copy_from_slice(&answer);
        Ok(key)
    }

    fn make_alias(&self) -> Result<String, field::GuardError> {
        asked(|| self.foreign.make_alias())
    }

    fn delete_alias(&self, alias: &str) -> Result<(), field::GuardError> {
        asked(|| self.foreign.delete_alias(alias.to_owned()))
    }
}
