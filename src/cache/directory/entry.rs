//! The entry: what a directory store knows about one of its objects.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::cache::listed::Listed;
use crate::cache::provenance::Provenance;
use crate::model::Digest;

/// What is known about an object. Times are microseconds since 1970, by the [clock](super::clock::Clock) of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Bytes of its content.
    pub(super) size: u64,
    /// When it was put there.
    pub(super) stored: u64,
    /// When it was last asked for; when it was put there, if never.
    pub(super) used: u64,
    /// SHA-256 of its uncompressed tar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<Digest>,
    #[serde(flatten)]
    pub(super) provenance: Provenance,
}

/// What the books of an object may take beside its content: its line in the index, and in the journal before that.
const BOOKS: u64 = 1024;

/// What an object of that size takes of a store's room.
pub(super) fn charge(size: u64) -> u64 {
    size.saturating_add(BOOKS)
}

impl Entry {
    /// An object of which nothing is known but what the file system says.
    pub(super) fn unknown(name: String, size: u64, modified: u64) -> Self {
        Self { name, size, stored: modified, used: modified, digest: None, provenance: Provenance::default() }
    }

    pub(super) fn charge(&self) -> u64 {
        charge(self.size)
    }

    pub(super) fn listed(self, pinned: bool) -> Listed {
        let mut listed = Listed::new(self.name, self.size, Some(time(self.stored)));
        (listed.used, listed.provenance, listed.pinned) = (Some(time(self.used)), self.provenance, pinned);
        listed
    }
}

/// A time of the store as everybody else has it.
pub(super) fn time(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The opposite; what is before 1970 is 0.
pub(super) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
