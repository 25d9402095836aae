//! Permits: how many operations a tier bears at once.

use std::sync::{Condvar, Mutex, PoisonError};

use super::wait::TICK;

/// A counting semaphore. Who waits for a permit holds none, and gives up when the tier is left alone.
#[derive(Debug)]
pub(super) struct Permits {
    most: Option<usize>,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The right to one of the operations; dropping it frees a place.
#[derive(Debug)]
pub(super) struct Permit<'p> {
    permits: &'p Permits,
}

impl Permits {
    pub(super) fn new(most: Option<usize>) -> Self {
        Self { most: most.map(|most| most.max(1)), taken: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits for a place as long as `worth` says that it is worth it.
    pub(super) fn take(&self, worth: impl Fn() -> bool) -> Option<Permit<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while self.most.is_some_and(|most| *taken >= most) {
            if !worth() {
                return None;
            }
            taken = self.freed.wait_timeout(taken, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken += 1;
        Some(Permit { permits: self })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.permits.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.permits.freed.notify_one();
    }
}
