//! The objects of a store, as a list of it shows them.

use std::time::SystemTime;

use super::provenance::Provenance;

/// The objects of a store, one after the other: there may be more of them than fit in memory.
pub type Objects<'a> = Box<dyn Iterator<Item = anyhow::Result<Listed>> + Send + 'a>;

/// An object in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put there, where the store knows.
    pub stored: Option<SystemTime>,
    /// When it was last asked for, where the store knows.
    pub used: Option<SystemTime>,
    /// Where it comes from, as far as the store knows.
    pub provenance: Provenance,
    /// Whether the store never evicts it.
    pub pinned: bool,
}

impl Listed {
    /// An object of a store.
    pub fn new(name: impl Into<String>, size: u64, stored: Option<SystemTime>) -> Self {
        Self { name: name.into(), size, stored, used: None, provenance: Provenance::default(), pinned: false }
    }
}
