//! Repair: finding what does not belong into a store, or is missing from its books, and mending it.
//!
//! What is looked at and what is done are apart: a dry run looks, and a repair does what it saw.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use super::DirectoryStore;
use super::books::Books;
use super::depot::Depot;
use super::layout::{is_name, shard_of, shards};
use super::others::others;
use super::shard::Shard;
use super::tale::Tale;
use crate::text;

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Where, relative to the store.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: String,
    /// What a repair does about it.
    pub remedy: Remedy,
}

/// What is done about a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Remedy {
    /// It is removed: the store has made it, and nobody needs it.
    Removed,
    /// It is made anew from what is there.
    Rebuilt,
    /// It stays, and the store goes on without it: it may be somebody's.
    Left,
}

/// The names at the root of a store.
const ROOT: [&str; 10] =
    ["format", "config.toml", "lock", "ledger", "journal", "objects", "index", "pins", "writers", "server"];

impl DirectoryStore {
    /// Looks for everything that does not belong into the store or is missing from its books, and mends it unless it is a
    /// `dry_run`. The contents of objects are not read: [`verify`](DirectoryStore::verify) does.
    ///
    /// A store that nobody repairs works as well; what a killed process leaves is found by whoever needs room next.
    ///
    /// # Errors
    /// When the store cannot be read or written, or somebody else holds its lock for too long.
    pub fn repair(&self, dry_run: bool) -> anyhow::Result<Vec<Finding>> {
        let writer = if dry_run { None } else { Some(self.depot.writer()?) };
        let mut room = writer.as_ref().map(|writer| writer.room());
        let mut books = self.depot.books()?;
        let findings = Look::at(&self.depot, &books)?;
        if let (Some(writer), Some(room)) = (&writer, &mut room) {
            for finding in findings.iter().filter(|finding| finding.remedy == Remedy::Removed) {
                remove(&self.dir.join(&finding.path))?;
            }
            books.settle(writer, room);
            books.bury_the_dead(Some(writer.id()))?;
            books.count(Some(writer), &mut |_, _| {})?;
            books.write(writer, room)?;
        }
        Ok(findings)
    }
}

/// A look at everything in a store.
struct Look<'a> {
    depot: &'a Depot,
    tale: Tale,
    findings: Vec<Finding>,
    /// What settled objects take.
    settled: u64,
}

impl<'a> Look<'a> {
    fn at(depot: &'a Depot, books: &Books<'_>) -> anyhow::Result<Vec<Finding>> {
        let tale = Tale::read(&depot.layout, None).context("could not read the logs of the store")?;
        let mut look = Self { depot, tale, findings: Vec::new(), settled: 0 };
        look.root()
            .and_then(|()| look.writers(books))
            .and_then(|()| look.objects())
            .and_then(|()| look.index())
            .and_then(|()| look.pins())
            .context("could not look at the store")?;
        look.ledger(books);
        Ok(look.findings)
    }

    fn find(&mut self, path: impl Into<PathBuf>, problem: impl Into<String>, remedy: Remedy) {
        self.findings.push(Finding { path: path.into(), problem: problem.into(), remedy });
    }

    fn root(&mut self) -> io::Result<()> {
        for entry in entries(self.depot.layout.root())? {
            let name = entry.file_name();
            match name.to_str() {
                Some(name) if ROOT.contains(&name) => {}
                Some(name) if is_draft(name) => self.find(name, "a draft that nobody will finish", Remedy::Removed),
                _ => self.find(&name, "it does not belong into a store", Remedy::Left),
            }
        }
        Ok(())
    }

    fn writers(&mut self, books: &Books<'_>) -> io::Result<()> {
        let now = books.file_time();
        for other in others(&self.depot.layout, None)? {
            if !other.is_alive(now) {
                let who = other.who().unwrap_or_else(|| "a process".to_owned());
                let path = Path::new("writers").join(&other.id);
                self.find(path, format!("left by {who}, which is gone"), Remedy::Removed);
            }
        }
        for entry in entries(&self.depot.layout.writers())? {
            if !entry.file_type()?.is_dir() {
                let path = Path::new("writers").join(entry.file_name());
                self.find(path, "it does not belong into a store", Remedy::Left);
            }
        }
        Ok(())
    }

    fn objects(&mut self) -> io::Result<()> {
        for entry in entries(&self.depot.layout.objects())? {
            let name = entry.file_name();
            let below = Path::new("objects").join(&name);
            let shard = name.to_str().and_then(|name| shards().find(|shard| shard == name));
            match shard {
                Some(shard) if entry.file_type()?.is_dir() => self.shard(shard)?,
                _ => self.find(below, "it does not belong into a store", Remedy::Left),
            }
        }
        Ok(())
    }

    fn shard(&mut self, name: String) -> io::Result<()> {
        let dir = self.depot.layout.objects().join(&name);
        for entry in entries(&dir)? {
            self.entry(&name, &entry)?;
        }
        let shard = Shard::new(&self.depot.layout, name.clone());
        let mut index = shard.read_index();
        for object in shard.content(&self.tale)?.objects {
            let entry = object.entry;
            if let Some(known) =
                index.remove(&entry.name).filter(|known| known.size != entry.size && !self.tale.is_told(&entry.name))
            {
                let problem =
                    format!("it has {}, but {} were stored", text::bytes(entry.size), text::bytes(known.size));
                self.find(Path::new("objects").join(&name).join(&entry.name), problem, Remedy::Removed);
            }
            let settled = !self.tale.is_unsettled(&entry.name, object.file);
            self.settled += if settled { entry.charge() } else { 0 };
        }
        for gone in index.into_keys().filter(|name| !self.tale.is_gone(name)).collect::<Vec<_>>() {
            let problem = format!("it knows `{gone}`, which is not there any more");
            self.find(Path::new("index").join(&name), problem, Remedy::Rebuilt);
        }
        Ok(())
    }

    /// Something in a directory of objects that may not be one.
    fn entry(&mut self, shard: &str, entry: &DirEntry) -> io::Result<()> {
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let path = Path::new("objects").join(shard).join(&name);
        match name.to_str() {
            Some(name) if name.starts_with(".tmp-") => {
                self.find(path, "a draft that nobody will finish", Remedy::Removed)
            }
            Some(name) if !is_name(name) || shard_of(name) != shard => {
                self.find(path, "no object is looked for here by that name", Remedy::Left);
            }
            Some(_) if kind.is_file() => {}
            Some(_) if kind.is_symlink() => self.find(path, "a symlink where an object should be", Remedy::Removed),
            Some(_) if kind.is_dir() && entries(&entry.path())?.is_empty() => {
                self.find(path, "an empty directory where an object should be", Remedy::Removed);
            }
            _ => self.find(path, "it is in the place of an object", Remedy::Left),
        }
        Ok(())
    }

    fn index(&mut self) -> io::Result<()> {
        for entry in entries(&self.depot.layout.index())? {
            let name = entry.file_name();
            let path = Path::new("index").join(&name);
            match name.to_str() {
                Some(name) if shards().any(|shard| shard == name) => {
                    let has_shard = self.depot.layout.objects().join(name).is_dir();
                    if !has_shard {
                        self.find(path, "it knows a directory which is not there any more", Remedy::Rebuilt);
                    }
                }
                Some(name) if is_draft(name) => self.find(path, "a draft that nobody will finish", Remedy::Removed),
                _ => self.find(path, "it does not belong into a store", Remedy::Left),
            }
        }
        Ok(())
    }

    fn pins(&mut self) -> io::Result<()> {
        for entry in entries(&self.depot.layout.pins())? {
            let name = entry.file_name();
            let object = name.to_str().and_then(|name| self.depot.layout.object(name).ok());
            let path = Path::new("pins").join(&name);
            match object {
                Some(object) if self.depot.is_object(&object) => {}
                Some(_) => self.find(path, "it pins an object which is not there any more", Remedy::Removed),
                None => self.find(path, "it does not belong into a store", Remedy::Left),
            }
        }
        Ok(())
    }

    fn ledger(&mut self, books: &Books<'_>) {
        let told = books.ledger.objects;
        if books.ledger.counted == 0 && self.settled > 0 {
            self.find("ledger", "the objects have to be counted", Remedy::Rebuilt);
        } else if told != self.settled && books.ledger.counted > 0 {
            let (told, settled) = (text::bytes(told), text::bytes(self.settled));
            self.find("ledger", format!("it says that objects take {told}, but they take {settled}"), Remedy::Rebuilt);
        }
    }
}

/// The draft of a file that is replaced.
fn is_draft(name: &str) -> bool {
    name.starts_with(".tmp-") || name.ends_with(".new")
}

/// The entries of a directory, sorted by name; none when it is not there.
fn entries(dir: &Path) -> io::Result<Vec<DirEntry>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// Removes what the store has made. A directory in the place of an object goes only if it is still empty; what writers
/// have left is somebody else's to remove, who looks into it first.
fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() && path.parent().is_some_and(|dir| dir.ends_with("writers")) => Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
