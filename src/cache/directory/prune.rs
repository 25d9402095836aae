//! Pruning: removing objects before their room is needed.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::DirectoryStore;
use super::victims::MOST;
use crate::cache::store::Store;

/// What to prune. Without any condition nothing goes; pinned objects never do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prune {
    /// Objects that were not used for so long.
    pub older_than: Option<Duration>,
    /// After that, what is needed least, until all objects take no more bytes than this.
    pub to_size: Option<u64>,
    /// Whether to tell only what would go.
    pub dry_run: bool,
}

/// What was pruned, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// The objects, in the order in which they went.
    pub objects: Vec<PrunedObject>,
    /// Bytes of their content.
    pub bytes: u64,
}

/// An object that was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrunedObject {
    /// Its name.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
}

impl Prune {
    /// Nothing goes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`older_than`](Prune::older_than).
    pub fn older_than(self, age: Duration) -> Self {
        Self { older_than: Some(age), ..self }
    }

    /// Sets [`to_size`](Prune::to_size).
    pub fn to_size(self, bytes: u64) -> Self {
        Self { to_size: Some(bytes), ..self }
    }

    /// Sets [`dry_run`](Prune::dry_run).
    pub fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }
}

impl Pruned {
    fn add(&mut self, name: String, size: u64) {
        self.bytes += size;
        self.objects.push(PrunedObject { name, size });
    }
}

impl DirectoryStore {
    /// Removes objects that nobody seems to need.
    ///
    /// # Errors
    /// When the store cannot be written, or somebody else holds its lock for too long.
    pub fn prune(&self, prune: &Prune) -> anyhow::Result<Pruned> {
        let mut pruned = Pruned::default();
        if let Some(age) = prune.older_than {
            self.prune_old(age, prune.dry_run, &mut pruned)?;
        }
        if let Some(size) = prune.to_size {
            self.prune_to(size, prune.dry_run, &mut pruned)?;
        }
        Ok(pruned)
    }

    fn prune_old(&self, age: Duration, dry_run: bool, pruned: &mut Pruned) -> anyhow::Result<()> {
        let now = super::entry::time(self.depot.writer()?.now());
        let is_old =
            |used: Option<SystemTime>| used.is_some_and(|used| now.duration_since(used).is_ok_and(|is| is >= age));
        for object in self.list()? {
            let object = object?;
            if !object.pinned && is_old(object.used) && (dry_run || self.remove(&object.name)?) {
                pruned.add(object.name, object.size);
            }
        }
        Ok(())
    }

    fn prune_to(&self, size: u64, dry_run: bool, pruned: &mut Pruned) -> anyhow::Result<()> {
        let writer = self.depot.writer()?;
        let mut room = writer.room();
        let mut books = self.depot.books()?;
        books.settle(&writer, &room);
        books.bury_the_dead(Some(writer.id()))?;
        books.count_if_due(&writer)?;
        // A dry run finds what it has already told of, too.
        let told: HashSet<String> = pruned.objects.iter().map(|object| object.name.clone()).collect();
        loop {
            let wanted = books.ledger.objects.saturating_sub(size);
            let victims = books.choose(&writer, wanted, if dry_run { usize::MAX } else { MOST })?;
            let is_last = dry_run || victims.len() < MOST;
            for victim in victims {
                if !dry_run {
                    if books.ledger.objects <= size {
                        break;
                    }
                    books.remove(&writer, &victim)?;
                }
                if !told.contains(&victim.name) {
                    pruned.add(victim.name, victim.size);
                }
            }
            if is_last || books.ledger.objects <= size {
                return books.write(&writer, &mut room);
            }
        }
    }
}
