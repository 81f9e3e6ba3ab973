//! The locks of this crate. Nothing else in it may name a lock, so that a scheduler that explores interleavings can
//! take their place here.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A value that one call at a time may use, and that a panic empties.
#[derive(Debug)]
pub(crate) struct Cell<T>(Mutex<Option<T>>);

impl<T> Cell<T> {
    pub(crate) fn new(value: T) -> Cell<T> {
        Cell(Mutex::new(Some(value)))
    }

    pub(crate) fn empty() -> Cell<T> {
        Cell(Mutex::new(None))
    }

    /// Gives the value to `work`; `None` if there is none any more. After a panic inside `work` nobody knows what
    /// state the value is in, so it is dropped: the app is locked, and what was saved is in the stores.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut held = match self.0.lock() {
            Ok(held) => held,
            Err(poisoned) => {
                let mut held = poisoned.into_inner();
                *held = None;
                self.0.clear_poison();
                held
            }
        };
        held.as_mut().map(work)
    }

    /// Takes the value out.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts a value in.
    pub(crate) fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// Tells whether there is a value.
    pub(crate) fn is_some(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// A value that is made once, by whoever asks first.
#[derive(Debug)]
pub(crate) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Once<T> {
        Once(OnceLock::new())
    }

    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn a_panic_inside_empties_the_cell() {
        let cell = Cell::new(7);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cell.with(|_| panic!("inside"));
        }));
        assert!(caught.is_err());
        assert_eq!(cell.with(|value| *value), None);
        cell.put(8);
        assert_eq!(cell.with(|value| *value), Some(8));
        assert_eq!(cell.take(), Some(8));
        assert!(!cell.is_some());
    }
}
