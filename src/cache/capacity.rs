//! The capacity: how full a store is, at a glance.

/// How full a store is, in bytes unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capacity {
    /// What it may take.
    pub size: u64,
    /// What of that is taken, or reserved for what is on its way.
    pub taken: u64,
    /// How many objects there are, where that is known.
    pub objects: Option<u64>,
    /// How many objects had to go since it was opened, because room was needed.
    pub evicted: u64,
    /// What these took.
    pub evicted_bytes: u64,
}

impl Capacity {
    /// Room of that size, with so much of it taken.
    pub fn new(size: u64, taken: u64) -> Self {
        Self { size, taken, objects: None, evicted: 0, evicted_bytes: 0 }
    }
}
