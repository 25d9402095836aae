//! The directory store: artifacts as files of one directory, shared without a daemon by any number of processes on any
//! number of machines.
//!
//! `docs/directory-store.md` has the format byte by byte, `docs/design/directory-store.md` the reasons. In short: an object is
//! one file, whole or absent at every moment, and looking it up is opening it. A writer is granted room before it writes,
//! so the store never takes more than its size; only such a grant needs the lock.

mod bookkeeping;
mod books;
mod clock;
mod config;
mod depot;
mod difference;
mod disk;
mod draft;
mod entry;
mod fault;
mod file_sync;
mod layout;
mod ledger;
mod marker;
mod memory;
mod options;
mod others;
mod perm;
mod pins;
mod prune;
mod publish;
mod record;
mod repair;
mod room;
mod shard;
mod size;
mod tale;
#[cfg(test)]
mod tests;
mod usage;
mod uses;
mod verify;
mod victims;
mod words;
mod writer;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use self::depot::Depot;
pub use self::file_sync::FileSync;
use self::layout::{Layout, shard_of, shards};
pub use self::options::DirectoryOptions;
pub use self::perm::Perm;
pub use self::prune::{Prune, Pruned, PrunedObject};
pub use self::repair::{Finding, Remedy};
use self::shard::Shard;
pub use self::size::{NotASize, parse_size};
use self::tale::Tale;
pub use self::usage::Usage;
pub use self::verify::Flaw;
use super::capacity::Capacity;
use super::listed::{Listed, Objects};
use super::object::Object;
use super::put::Put;
use super::store::Store;
use super::stored::Stored;
use crate::error::Result;

/// A directory that keeps artifacts, and never more than it may. Cheap to clone.
///
/// What was used is remembered, and what is needed least goes when room is needed. The last clone that goes tells the
/// others what it leaves unused of its room.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    dir: PathBuf,
    depot: Arc<Depot>,
}

impl DirectoryStore {
    /// The store in `dir`, which is made when it is not there or is empty.
    ///
    /// # Errors
    /// [`Error::Foreign`](crate::Error::Foreign) for a directory with something else in it,
    /// [`Error::Newer`](crate::Error::Newer) for a store of a newer cortado,
    /// [`Error::Invalid`](crate::Error::Invalid) for one whose `config.toml` says something that cannot be.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        Self::open_with(dir, &DirectoryOptions::default())
    }

    /// Like [`open`](DirectoryStore::open), with what the caller decides.
    ///
    /// # Errors
    /// As [`open`](DirectoryStore::open).
    pub fn open_with(dir: impl Into<PathBuf>, options: &DirectoryOptions) -> Result<Self> {
        let dir = dir.into();
        let layout = Layout::new(dir.clone());
        let config = marker::open(&layout, options)?;
        Ok(Self { dir, depot: Arc::new(Depot::new(layout, &config, options)) })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is known about an object; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn info(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        self.depot.layout.object(name)?;
        let shard = Shard::new(&self.depot.layout, shard_of(name));
        let tale = Tale::read(&self.depot.layout, None).context("could not read the logs of the store")?;
        let entry = shard.object_named(name, &tale).context("could not read the store")?;
        Ok(entry.map(|entry| entry.listed(self.depot.is_pinned(name))))
    }

    /// The objects of a shard.
    fn listed_in(&self, shard: String, tale: &Tale, pins: &HashSet<String>) -> anyhow::Result<Vec<Listed>> {
        let content = Shard::new(&self.depot.layout, shard).content(tale);
        let entries = content.context("could not read the objects of the store")?.objects.into_iter();
        let entries = entries.map(|object| (pins.contains(&object.entry.name), object.entry));
        Ok(entries.map(|(pinned, entry)| entry.listed(pinned)).collect())
    }
}

impl Store for DirectoryStore {
    fn place(&self) -> String {
        format!("directory {}", self.dir.display())
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        Ok(self.object(name)?.map(Object::into_reader))
    }

    fn object(&self, name: &str) -> anyhow::Result<Option<Object>> {
        let path = self.depot.layout.object(name)?;
        self.depot.disk.look_anew(crate::host::fs::parent(&path));
        // What is not a file is none of ours: a symlink may lead anywhere, and opening a pipe may last for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("could not open `{}`", path.display())),
        };
        if !file.metadata().with_context(|| format!("could not look at `{}`", path.display()))?.is_file() {
            return Ok(None);
        }
        self.depot.used(name);
        Ok(Some(Object::File(file)))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        self.depot.put(name, content, options)
    }

    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        self.depot.put_file(name, path, options)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.depot.layout.object(name)?;
        self.depot.disk.look_anew(crate::host::fs::parent(&path));
        match fs::symlink_metadata(&path) {
            Ok(found) => Ok(found.is_file()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("could not look for `{}`", path.display())),
        }
    }

    /// Like [`info`](DirectoryStore::info), but without looking twice: when it was last used may be told too early.
    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        let entry = self.depot.memory.recall(&self.depot.layout, name).context("could not read the store")?;
        Ok(entry.map(|entry| entry.listed(self.depot.is_pinned(name))))
    }

    /// What the ledger says, without what this process has reserved beforehand. Other writers may have, too; and what they have
    /// stored since they last wrote it is not among the objects yet.
    fn capacity(&self) -> anyhow::Result<Option<Capacity>> {
        Ok(Some(self.depot.capacity()))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.depot.layout.object(name)?;
        if !self.depot.is_object(&path) {
            return Ok(false);
        }
        let removed = self.depot.with_writer(|writer| {
            let size = self.depot.take_away(writer, name)?;
            writer.room().free(size.map_or(0, entry::charge));
            Ok(size.is_some())
        })?;
        self.depot.forget_pin(name);
        Ok(removed)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let tale = Tale::read(&self.depot.layout, None).context("could not read the logs of the store")?;
        let pins = self.depot.pinned().context("could not read the pins of the store")?;
        let objects = shards().flat_map(move |name| match self.listed_in(name, &tale, &pins) {
            Ok(listed) => listed.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        });
        Ok(Box::new(objects))
    }

    /// Shard by shard, and by name within: a page costs as much as the shards that it comes from.
    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        let tale = Tale::read(&self.depot.layout, None).context("could not read the logs of the store")?;
        let pins = self.depot.pinned().context("could not read the pins of the store")?;
        let first = after.map(shard_of);
        let mut page = Vec::new();
        for shard in shards().skip_while(|shard| first.as_ref().is_some_and(|first| shard < first)) {
            let is_first = first.as_ref() == Some(&shard);
            let mut listed = self.listed_in(shard, &tale, &pins)?;
            listed.retain(|listed| !is_first || after.is_none_or(|after| listed.name.as_str() > after));
            listed.sort_unstable_by(|one, other| one.name.cmp(&other.name));
            page.extend(listed);
            if page.len() >= limit {
                break;
            }
        }
        page.truncate(limit);
        Ok(page)
    }
}
