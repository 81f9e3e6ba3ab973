//! How much a guess at the passcode costs. There are floors; nothing in a release goes below them.

use landfall_wire::clock::Clock;
use zeroize::Zeroizing;

use crate::guard::{GuardScope, KeyGuard};
use crate::{Error, Result, kdf};

/// Argon2id memory in KiB: 64 MiB.
pub const MEMORY_KIB: u32 = 64 << 10;
/// Least passes at [`MEMORY_KIB`].
pub const MIN_PASSES: u32 = 3;
/// Argon2id memory in KiB on devices with less than [`LOW_RAM_MIB`]: 19 MiB.
pub const LOW_MEMORY_KIB: u32 = 19 << 10;
/// Least passes at [`LOW_MEMORY_KIB`].
pub const LOW_MIN_PASSES: u32 = 4;
/// Below this a device counts as having little memory, in MiB.
pub const LOW_RAM_MIB: u32 = 2048;
/// Least sequential hardware calls of a guess.
pub const MIN_CALLS: u32 = 4;
/// Time that the calls of a guess shall take, in milliseconds.
pub const CALLS_TARGET_MS: u64 = 500;
/// Time that they may take at most, in milliseconds.
pub const CALLS_CAP_MS: u64 = 2000;
/// Time that Argon2id shall take at least, in milliseconds.
pub const ARGON_TARGET_MS: u64 = 500;

/// Parameters of a header. Built by the functions here only, so that none is below its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    pub(crate) calls: u32,
}

impl Tuning {
    /// A desk: 64 MiB, 3 passes, no hardware.
    #[must_use]
    pub const fn desk() -> Self {
        Self {
            memory_kib: MEMORY_KIB,
            passes: MIN_PASSES,
            lanes: 1,
            calls: 0,
        }
    }

    /// The floor of a device: 64 MiB, 3 passes, 4 calls.
    #[must_use]
    pub const fn floor() -> Self {
        Self {
            memory_kib: MEMORY_KIB,
            passes: MIN_PASSES,
            lanes: 1,
            calls: MIN_CALLS,
        }
    }

    /// The floor of a device with less than 2 GiB of memory: 19 MiB, 4 passes, 4 calls.
    #[must_use]
    pub const fn low_memory_floor() -> Self {
        Self {
            memory_kib: LOW_MEMORY_KIB,
            passes: LOW_MIN_PASSES,
            lanes: 1,
            calls: MIN_CALLS,
        }
    }

    /// Parameters for a device: passes so that Argon2id takes half a second, calls so that the hardware takes
    /// another half, never below the floors and with at most two seconds of hardware.
    ///
    /// `argon_floor_ms` is the measured time at the floor, `call_ms` that of one hardware call.
    #[must_use]
    pub fn for_device(ram_mib: u32, argon_floor_ms: u64, call_ms: u64) -> Self {
        let floor = if ram_mib < LOW_RAM_MIB {
            Self::low_memory_floor()
        } else {
            Self::floor()
        };
        let per_pass = (argon_floor_ms / u64::from(floor.passes)).max(1);
        let passes = u32::try_from(ARGON_TARGET_MS.div_ceil(per_pass)).unwrap_or(MAX_PASSES);
        let per_call = call_ms.max(1);
        let wanted = CALLS_TARGET_MS.div_ceil(per_call);
        let cap = (CALLS_CAP_MS / per_call).max(u64::from(MIN_CALLS));
        let calls = u32::try_from(wanted.min(cap)).unwrap_or(MAX_CALLS);
        Self {
            passes: passes.clamp(floor.passes, MAX_PASSES),
            calls: calls.clamp(MIN_CALLS, MAX_CALLS),
            ..floor
        }
    }

    /// Measures this device once (about a second) and returns its parameters.
    ///
    /// # Errors
    /// [`Error::Guard`].
    pub fn measure(ram_mib: u32, guard: &dyn KeyGuard, alias: &str, clock: &dyn Clock) -> Result<Self> {
        let floor = if ram_mib < LOW_RAM_MIB {
            Self::low_memory_floor()
        } else {
            Self::floor()
        };
        let start = clock.read().elapsed_ms;
        floor.stretch(b"measure", &[0; 16])?;
        let argon_ms = clock.read().elapsed_ms.saturating_sub(start);
        // Several calls: the clock has steps of up to ten milliseconds.
        let rounds = 8u8;
        let slots = match guard.scope() {
            GuardScope::PerDevice => 1,
            GuardScope::PerSlot => 4u8,
        };
        let start = clock.read().elapsed_ms;
        for _ in 0..rounds {
            for slot in 0..slots {
                guard.derive(alias, slot, &[0; 36])?;
            }
        }
        let calls_ms = clock.read().elapsed_ms.saturating_sub(start) / u64::from(rounds);
        Ok(Self::for_device(ram_mib, argon_ms, calls_ms))
    }

    /// Milliseconds for a guess, two hardware calls. **Protects nothing**: tests and the demonstration only.
    #[cfg(feature = "test-tuning")]
    #[must_use]
    pub const fn for_tests() -> Self {
        Self {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            calls: 2,
        }
    }

    /// [`Tuning::for_tests`] without hardware, for a desk.
    #[cfg(feature = "test-tuning")]
    #[must_use]
    pub const fn desk_for_tests() -> Self {
        Self {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            calls: 0,
        }
    }

    /// Returns the number of sequential hardware calls of a guess.
    #[must_use]
    pub const fn calls(&self) -> u32 {
        self.calls
    }

    /// Takes parameters that a header names. No floor holds here: refusing to open an old header would lose
    /// a vault and protect nobody. The ceilings keep a forged file from taking the device's memory.
    pub(crate) fn from_header(memory_kib: u32, passes: u32, lanes: u32, calls: u32) -> Result<Self> {
        let out = |what| Err(Error::HeaderParameter { what });
        if !(8..=MAX_MEMORY_KIB).contains(&memory_kib) {
            return out("memory");
        }
        if !(1..=MAX_PASSES).contains(&passes) {
            return out("passes");
        }
        if lanes != 1 {
            return out("lanes");
        }
        if calls > MAX_CALLS {
            return out("calls");
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
            calls,
        })
    }

    /// Argon2id of the passcode.
    pub(crate) fn stretch(&self, passcode: &[u8], salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>> {
        let params = argon2::Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Error::HeaderParameter { what: "argon2" })?;
        let mut out = Zeroizing::new([0; 32]);
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(passcode, salt, out.as_mut())
            .map_err(|_| Error::Internal { what: "argon2" })?;
        Ok(out)
    }

    /// The chain of hardware calls: h_k = HW(h_{k-1} || k), k from 1 to n.
    pub(crate) fn chain(
        &self,
        start: &[u8; 32],
        guard: &dyn KeyGuard,
        alias: &str,
        slot: u8,
    ) -> Result<Zeroizing<[u8; 32]>> {
        let mut h = Zeroizing::new(*start);
        for k in 1..=self.calls {
            let mut input = Zeroizing::new([0; 36]);
            let (head, tail) = input.split_at_mut(32);
            head.copy_from_slice(h.as_ref());
            tail.copy_from_slice(&k.to_be_bytes());
            h = guard.derive(alias, slot, input.as_ref())?;
        }
        Ok(h)
    }

    /// The key of one slot.
    pub(crate) fn slot_key(
        s: &[u8; 32],
        h: &[u8; 32],
        salt: &[u8; 16],
        slot: u8,
    ) -> Result<Zeroizing<[u8; 32]>> {
        let mut ikm = Zeroizing::new([0; 64]);
        let (first, second) = ikm.split_at_mut(32);
        first.copy_from_slice(s);
        second.copy_from_slice(h);
        kdf::derive_key(ikm.as_ref(), salt, &[b"landfall/v1/kek/", &[slot]])
    }
}

/// Ceilings for parameters that are read: 1 GiB, 64 passes, 4096 calls.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 64;
const MAX_CALLS: u32 = 4096;
