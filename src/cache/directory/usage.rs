//! Usage: how full a store is.

use anyhow::Context;
use serde::Serialize;

use super::DirectoryStore;
use super::entry::charge;
use super::ledger::Ledger;
use super::others::others;
use crate::cache::store::Store;

/// How full a directory store is. All sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// What it may take.
    pub size: u64,
    /// What its objects take, with what is kept about them.
    pub used: u64,
    /// What was granted to writers and is not used, as far as they have told.
    pub reserved: u64,
    /// How many objects there are.
    pub objects: u64,
    /// What the objects' content takes.
    pub content: u64,
    /// How many objects are pinned, and what they take.
    pub pinned: u64,
    /// What the content of pinned objects takes.
    pub pinned_content: u64,
    /// The time that building all of it anew would take, in seconds, as far as that is known.
    pub build_seconds: f64,
    /// Who has the store open and has written to it, this process included.
    pub writers: Vec<String>,
}

impl DirectoryStore {
    /// How full the store is. It looks at every object.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let depot = &self.depot;
        let ledger = Ledger::read(&depot.layout).unwrap_or_default();
        let writers = others(&depot.layout, None).context("could not look for writers")?;
        let writers = writers.iter().filter_map(super::others::Other::who).collect();
        let mut usage = Usage {
            size: depot.size,
            used: 0,
            reserved: 0,
            objects: 0,
            content: 0,
            pinned: 0,
            pinned_content: 0,
            build_seconds: 0.0,
            writers,
        };
        for object in self.list()? {
            let object = object?;
            usage.objects += 1;
            usage.content += object.size;
            usage.used += charge(object.size);
            usage.pinned += u64::from(object.pinned);
            usage.pinned_content += if object.pinned { object.size } else { 0 };
            usage.build_seconds += object.provenance.build_time.unwrap_or_default().as_secs_f64();
        }
        usage.reserved = ledger.total().saturating_sub(usage.used);
        Ok(usage)
    }
}
