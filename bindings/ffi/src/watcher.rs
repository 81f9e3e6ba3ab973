//! The ping to the screens. It carries nothing: whoever gets it asks again.

use std::fmt;
use std::sync::Arc;

use landfall_field as field;

use crate::caught::silently;

/// Is told that something changed. Called from whatever thread made the change: return at once.
#[uniffi::export(foreign)]
pub trait Watcher: Send + Sync + fmt::Debug {
    /// Something changed; ask again.
    fn changed(&self);
}

#[derive(Debug)]
struct Foreign(Arc<dyn Watcher>);

impl field::Watcher for Foreign {
    fn changed(&self) {
        // A screen that fails to take a ping must not undo the change that it was told of.
        let _ = silently(|| self.0.changed());
    }
}

pub(crate) fn watcher(foreign: Arc<dyn Watcher>) -> Arc<dyn field::Watcher> {
    Arc::new(Foreign(foreign))
}
