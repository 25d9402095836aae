//! Remarks: what a callback has to say beside its answer, kept until the engine makes events and numbers of it.

use std::sync::{Arc, Mutex, PoisonError};

use super::look::Look;
use super::offer::Offer;

/// Something that was said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Remark {
    /// The user should know.
    Warning(String),
    /// A tier was asked.
    Looked(Look),
    /// A tier was offered an artifact.
    Offered(Offer),
    /// A tier is left alone from now on, and why. Said once in a run.
    Left { tier: Arc<str>, reason: String },
}

/// Remarks in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    remarks: Mutex<Vec<Remark>>,
}

impl Remarks {
    pub(crate) fn add(&self, remark: Remark) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).push(remark);
    }

    /// All remarks so far; none of them comes a second time.
    pub(crate) fn take(&self) -> Vec<Remark> {
        std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
