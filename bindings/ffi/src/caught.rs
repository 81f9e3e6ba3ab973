//! What every exported call passes through: a panic ends here as a number. Its text, which may hold anything, is
//! neither printed nor handed on.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

use crate::FieldError;

/// Number of a caught panic.
const PANIC: u32 = 900;

/// Makes panics silent in this process: the default hook prints their text to the system's log.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|_| {})));
}

/// Runs one exported call. The locks of field recover from a panic inside them, which makes this safe to go on from.
pub(crate) fn caught<T, E: Into<FieldError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, FieldError> {
    quiet();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(FieldError::Internal { code: PANIC }),
    }
}

/// Runs a call into foreign code that answers nothing. What goes wrong there, and the text of it, stays there.
pub(crate) fn silently<T>(work: impl FnOnce() -> T) -> Option<T> {
    quiet();
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn a_panic_becomes_a_number() {
        let done: Result<(), FieldError> = caught(|| -> Result<(), FieldError> { panic!("canary") });
        assert!(matches!(done, Err(FieldError::Internal { code: PANIC })));
        assert_eq!(silently(|| -> u8 { panic!("canary") }), None);
        assert_eq!(silently(|| 1), Some(1));
    }
}
