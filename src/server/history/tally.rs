//! A tally: how often objects were asked for, and how often there was one.

use serde::{Deserialize, Serialize};

/// Counts of a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub(in crate::server) struct Tally {
    /// Objects that were asked for and were there.
    pub(in crate::server) hits: u64,
    /// Objects that were asked for and were not there.
    pub(in crate::server) misses: u64,
    /// Objects that were put and kept.
    pub(in crate::server) stored: u64,
}

impl Tally {
    pub(in crate::server) const HIT: Self = Self { hits: 1, misses: 0, stored: 0 };
    pub(in crate::server) const MISS: Self = Self { hits: 0, misses: 1, stored: 0 };
    pub(in crate::server) const STORED: Self = Self { hits: 0, misses: 0, stored: 1 };

    pub(in crate::server) fn add(&mut self, other: Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.misses = self.misses.saturating_add(other.misses);
        self.stored = self.stored.saturating_add(other.stored);
    }

    /// Objects that were asked for.
    pub(in crate::server) fn lookups(self) -> u64 {
        self.hits.saturating_add(self.misses)
    }

    /// The part of them that was there; `None` when nobody has asked.
    pub(in crate::server) fn rate(self) -> Option<f64> {
        (self.lookups() > 0).then(|| self.hits as f64 / self.lookups() as f64)
    }
}

impl From<[u64; 3]> for Tally {
    fn from([hits, misses, stored]: [u64; 3]) -> Self {
        Self { hits, misses, stored }
    }
}

impl From<Tally> for [u64; 3] {
    fn from(tally: Tally) -> Self {
        [tally.hits, tally.misses, tally.stored]
    }
}
