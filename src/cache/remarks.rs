//! Remarks: what a callback has to say beside its answer, kept until the engine makes warnings of it.

use std::sync::{Mutex, PoisonError};

/// Texts in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    texts: Mutex<Vec<String>>,
}

impl Remarks {
    pub(crate) fn add(&self, text: String) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// All texts so far; none of them comes a second time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
