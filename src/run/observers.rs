//! The observers of a run: any number of them, told every event in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::event::Event;

type Observer = Box<dyn FnMut(&Event) + Send>;

/// Tells events to observers. A slow observer slows the run down; nothing is lost or reordered. One that panics is
/// not called again.
#[derive(Default)]
pub(crate) struct Observers {
    observers: Mutex<Vec<Observer>>,
}

impl Observers {
    /// Adds an observer.
    pub(crate) fn add(&mut self, observer: Observer) {
        self.observers.get_mut().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Whether nobody listens.
    pub(crate) fn are_none(&self) -> bool {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Tells an event to all observers, in the order in which they were added.
    pub(crate) fn tell(&self, event: &Event) {
        let mut observers = self.observers.lock().unwrap_or_else(PoisonError::into_inner);
        observers.retain_mut(|observer| catch_unwind(AssertUnwindSafe(|| observer(event))).is_ok());
    }
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observers")
    }
}
