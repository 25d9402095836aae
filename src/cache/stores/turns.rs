//! Turns: of the writers of one name in this process, one writes at a time.
//!
//! A service without a conditional put is asked whether a name is taken and then told to take it. Between the two
//! another writer may do the same; at least none of this process does.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The names that are being written.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<HashSet<String>>,
    freed: Condvar,
}

/// The right to write a name, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    name: &'a str,
}

impl Turns {
    /// Waits until nobody else writes `name`.
    pub(super) fn take<'a>(&'a self, name: &'a str) -> Turn<'a> {
        let taken = self.taken();
        let waited = self.freed.wait_while(taken, |taken| taken.contains(name));
        waited.unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Turn { turns: self, name }
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken().remove(self.name);
        self.turns.freed.notify_all();
    }
}
