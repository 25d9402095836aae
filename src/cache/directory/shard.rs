//! The shard: one directory of objects, and what the index knows about them.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::disk::Disk;
use super::entry::{Entry, micros};
use super::layout::{Layout, is_name, shard_of};
use super::tale::Tale;

/// One of the directories that objects are spread over.
#[derive(Debug)]
pub(super) struct Shard {
    name: String,
    dir: PathBuf,
    index: PathBuf,
}

/// What is in a shard.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) objects: Vec<Object>,
    /// Whether the index says something else.
    pub(super) stale: bool,
}

/// An object of a shard.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) entry: Entry,
    /// Its inode.
    pub(super) file: u64,
    /// Whether nobody has said anything of it.
    pub(super) is_stranger: bool,
}

impl Content {
    /// Takes what `tale` says of the strangers. Whether there were any.
    ///
    /// An object may have been recorded and placed after the logs were read and before the shard was. The record comes
    /// first, so logs that are read after the shard tell of everything that was seen in it.
    pub(super) fn introduce(&mut self, tale: impl FnOnce() -> io::Result<Tale>) -> io::Result<Option<Tale>> {
        if !self.objects.iter().any(|object| object.is_stranger) {
            return Ok(None);
        }
        let tale = tale()?;
        for object in self.objects.iter_mut().filter(|object| object.is_stranger) {
            if let Some(entry) = tale.entry(&object.entry.name, object.file, object.entry.size, None) {
                object.entry = entry;
            }
        }
        Ok(Some(tale))
    }
}

impl Shard {
    pub(super) fn new(layout: &Layout, name: String) -> Self {
        Self { dir: layout.objects().join(&name), index: layout.index().join(&name), name }
    }

    /// Everything in it that bears an object's name and is a file, with what the index and `tale` say about it.
    pub(super) fn content(&self, tale: &Tale) -> io::Result<Content> {
        let mut index = self.read_index();
        let mut content = Content::default();
        for entry in self.entries()?.into_iter().flatten() {
            let entry = entry?;
            let Some((name, metadata)) = self.object(&entry)? else { continue };
            let known = index.remove(&name);
            let entry = tale.entry(&name, metadata.ino(), metadata.len(), known.clone());
            let is_stranger = entry.is_none();
            let entry = entry.unwrap_or_else(|| stranger(name, &metadata, tale));
            content.stale |= known.as_ref() != Some(&entry);
            content.objects.push(Object { entry, file: metadata.ino(), is_stranger });
        }
        content.stale |= !index.is_empty();
        Ok(content)
    }

    /// What is known about one object; `None` when there is none of that name.
    pub(super) fn object_named(&self, name: &str, tale: &Tale) -> io::Result<Option<Entry>> {
        let metadata = match fs::symlink_metadata(self.dir.join(name)) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            metadata => metadata?,
        };
        let known = self.read_index().remove(name);
        let entry = || tale.entry(name, metadata.ino(), metadata.len(), known);
        Ok(metadata.is_file().then(|| entry().unwrap_or_else(|| stranger(name.to_owned(), &metadata, tale))))
    }

    /// An entry of the directory as an object; `None` for temporary and stray ones, and for one that was removed meanwhile.
    fn object(&self, entry: &fs::DirEntry) -> io::Result<Option<(String, fs::Metadata)>> {
        let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
        if !is_name(&name) || shard_of(&name) != self.name {
            return Ok(None);
        }
        Ok(metadata(entry)?.filter(fs::Metadata::is_file).map(|metadata| (name, metadata)))
    }

    /// What the index says about one object.
    pub(super) fn indexed(&self, name: &str) -> Option<Entry> {
        let text = fs::read(&self.index).ok()?;
        // Most lines are of others, and reading a line costs a hundred times as much as finding a name.
        let here = memchr::memmem::find_iter(&text, name).map(|at| {
            let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
            &text[start..end]
        });
        here.filter_map(|line| serde_json::from_slice(line).ok()).find(|entry: &Entry| entry.name == name)
    }

    /// What the index says, by name.
    pub(super) fn read_index(&self) -> HashMap<String, Entry> {
        let text = fs::read(&self.index).unwrap_or_default();
        let entries = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        entries.map(|entry: Entry| (entry.name.clone(), entry)).collect()
    }

    /// Writes down what is known.
    pub(super) fn write_index<'a>(&self, entries: impl Iterator<Item = &'a Entry>, disk: &Disk) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        if text.is_empty() {
            return match fs::remove_file(&self.index) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        disk.replace(&self.index, &text)
    }

    fn entries(&self) -> io::Result<Option<fs::ReadDir>> {
        match fs::read_dir(&self.dir) {
            Ok(entries) => Ok(Some(entries)),
            // A stray file where a shard should be holds no objects.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the file system says; `None` for what was removed meanwhile.
fn metadata(entry: &fs::DirEntry) -> io::Result<Option<fs::Metadata>> {
    match entry.metadata() {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An object that nobody has told of.
fn stranger(name: String, metadata: &fs::Metadata, tale: &Tale) -> Entry {
    let used = tale.used(&name);
    let mut entry = Entry::unknown(name, metadata.len(), metadata.modified().map_or(0, micros));
    entry.used = entry.used.max(used);
    entry
}
