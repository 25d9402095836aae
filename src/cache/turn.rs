//! The turn: a claim that was granted.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::callbacks::Callbacks;

/// A claim that was granted; dropping it releases it, however the task has ended.
pub(crate) struct Turn {
    pub(crate) callbacks: Arc<dyn Callbacks>,
    pub(crate) tag: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        _ = catch_unwind(AssertUnwindSafe(|| self.callbacks.release(&self.tag)));
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("tag", &self.tag).finish_non_exhaustive()
    }
}
