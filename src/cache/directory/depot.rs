//! The depot: an open directory store, as all of this process' threads share it.
//!
//! When it goes to its books is said in `bookkeeping`.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::config::{Config, Eviction};
use super::disk::Disk;
use super::fault;
use super::layout::Layout;
use super::ledger::Ledger;
use super::memory::Memory;
use super::options::DirectoryOptions;
use super::record::Record;
use super::uses::Uses;
use super::writer::Writer;
use crate::cache::capacity::Capacity;

/// What every operation on a store needs.
#[derive(Debug)]
pub(super) struct Depot {
    pub(super) layout: Layout,
    pub(super) disk: Disk,
    /// Bytes that the store may take.
    pub(super) size: u64,
    pub(super) eviction: Eviction,
    pub(super) lock_wait: Duration,
    /// Made when there is something to write.
    writer: Mutex<Option<Arc<Writer>>>,
    /// Whether this process may not write here. Then nobody is told what was used.
    pub(super) silent: AtomicBool,
    pub(super) uses: Uses,
    /// Until when the lock is only tried, not waited for: somebody has held it for too long.
    pub(super) impatient: Mutex<Option<Instant>>,
    pub(super) memory: Memory,
    pub(super) evicted: Evicted,
}

/// What this process has evicted, in objects and bytes.
#[derive(Debug, Default)]
pub(super) struct Evicted {
    objects: AtomicU64,
    bytes: AtomicU64,
}

impl Evicted {
    pub(super) fn add(&self, bytes: u64) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn load(&self) -> (u64, u64) {
        (self.objects.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

impl Depot {
    pub(super) fn new(layout: Layout, config: &Config, options: &DirectoryOptions) -> Self {
        Self {
            layout,
            disk: Disk::new(config),
            size: config.size,
            eviction: config.eviction,
            lock_wait: options.lock_wait,
            writer: Mutex::default(),
            silent: AtomicBool::new(false),
            uses: Uses::default(),
            impatient: Mutex::default(),
            memory: Memory::default(),
            evicted: Evicted::default(),
        }
    }

    /// This process' writer.
    pub(super) fn writer(&self) -> anyhow::Result<Arc<Writer>> {
        let mut slot = locked(&self.writer);
        if let Some(writer) = &*slot {
            return Ok(writer.clone());
        }
        let writer = Writer::register(&self.layout, &self.disk);
        let writer =
            Arc::new(writer.with_context(|| format!("could not write to `{}`", self.layout.root().display()))?);
        Ok(slot.insert(writer).clone())
    }

    /// Does something with the writer; once more with a new one if the others have taken it for dead.
    pub(super) fn with_writer<T>(&self, mut act: impl FnMut(&Arc<Writer>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let writer = self.writer()?;
        let result = act(&writer);
        if result.is_ok() || !writer.is_gone() || !self.layout.format().exists() {
            return result;
        }
        let mut slot = locked(&self.writer);
        slot.take_if(|current| Arc::ptr_eq(current, &writer));
        drop(slot);
        act(&self.writer()?)
    }

    /// Takes an object out of the store, and tells its size; `None` when there was none.
    ///
    /// It is moved away first, so that what is measured is what is removed.
    pub(super) fn take_away(&self, writer: &Writer, name: &str) -> anyhow::Result<Option<u64>> {
        let (path, aside) = (self.layout.object(name)?, writer.draft_path());
        writer.record(&Record::Gone { name: name.to_owned() })?;
        let taken = fs::rename(&path, &aside).and_then(|()| {
            fault::point("remove: moved away");
            let size = fs::symlink_metadata(&aside)?.len();
            remove_any(&aside)?;
            fault::point("remove: removed");
            Ok(size)
        });
        match taken {
            Ok(size) => Ok(Some(size)),
            Err(error) if error.kind() == ErrorKind::NotFound && !path.exists() => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not remove `{}`", path.display())),
        }
    }

    /// How full the store is, by its ledger and by what this process has not yet told.
    pub(super) fn capacity(&self) -> Capacity {
        let ledger = Ledger::read(&self.layout).unwrap_or_default();
        let writer = locked(&self.writer).clone();
        let room = writer.as_ref().and_then(|writer| writer.try_room());
        let unused = room.as_ref().map_or(0, |room| room.unused());
        let account = room.map(|room| room.account(ledger.counted));
        let (stored, removed) = account.map_or((0, 0), |account| (account.stored, account.removed));
        let objects = ledger.count.saturating_add(stored).saturating_sub(removed);
        let (evicted, evicted_bytes) = self.evicted.load();
        Capacity {
            size: self.size,
            taken: ledger.total().saturating_sub(unused),
            objects: Some(objects),
            evicted,
            evicted_bytes,
        }
    }

    /// The names of all pinned objects.
    pub(super) fn pinned(&self) -> io::Result<HashSet<String>> {
        let entries = match fs::read_dir(self.layout.pins()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(HashSet::new()),
            entries => entries?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
        names.collect()
    }
}

impl Drop for Depot {
    fn drop(&mut self) {
        let writer = locked(&self.writer).take();
        // What is not settled now is found out by whoever needs room next.
        _ = writer.map(|writer| self.close(&writer));
    }
}

/// Removes what was taken out of the store. A directory in an object's place goes only if there is nothing in it.
fn remove_any(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::PermissionDenied) => {
            fs::remove_dir(path)
        }
        removed => removed,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
