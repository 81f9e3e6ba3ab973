//! What the contract in tests/ffi needs and releases lack.

#[cfg(feature = "contract-panic")]
use crate::{FieldError, caught::caught};

/// Panics with a text that must not reach the foreign side.
///
/// # Errors
/// Always [`FieldError::Internal`].
#[cfg(feature = "contract-panic")]
#[uniffi::export]
#[allow(clippy::panic, reason = "the contract checks that a panic stays inside")]
pub fn contract_panic(word: String) -> Result<(), FieldError> {
    caught(|| -> Result<(), FieldError> { panic!("canary {word}") })
}
