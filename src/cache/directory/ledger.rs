//! The ledger: how full a store is, and what has been granted to whom.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::entry::micros;
use super::layout::Layout;

/// What all writers of a store agree on. It is changed under the lock, and replaced as a whole.
///
/// Never more is on the disk than `objects` and the grants together: a writer asks for a grant before it writes, and
/// what it has written counts as its grant until it settles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// What all objects take that are settled.
    pub(super) objects: u64,
    /// What each writer may take beyond that, by its id.
    pub(super) grants: BTreeMap<String, u64>,
    /// How many objects there are that are settled.
    pub(super) count: u64,
    /// When they were last counted.
    pub(super) counted: u64,
    /// The latest time that the store has seen.
    pub(super) clock: u64,
}

impl Ledger {
    /// The ledger of a store; `None` when there is none, or none that can be read: all has to be counted then.
    pub(super) fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_slice(&fs::read(layout.ledger()).ok()?).ok()
    }

    /// The text of the ledger of a new store.
    pub(super) fn of_nothing() -> Vec<u8> {
        let now = micros(SystemTime::now());
        let ledger = Self { counted: now, clock: now, ..Self::default() };
        serde_json::to_vec(&ledger).unwrap_or_default()
    }

    pub(super) fn write(&self, layout: &Layout, disk: &Disk) -> io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        disk.replace(&layout.ledger(), &text)
    }

    /// Everything that is taken or granted.
    pub(super) fn total(&self) -> u64 {
        self.grants.values().fold(self.objects, |sum, grant| sum.saturating_add(*grant))
    }
}
