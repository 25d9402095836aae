//! The draft: a file on its way into a store, with room reserved for it.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};

use super::depot::Depot;
use super::entry::charge;
use super::fault;
use super::file_sync::FileSync;
use super::writer::{LEASE, Writer};

/// A file in a writer's directory. Dropped, it is removed and its room given back.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    depot: &'a Depot,
    pub(super) writer: Arc<Writer>,
    path: PathBuf,
    reserved: u64,
    /// What the file is, once it is finished.
    pub(super) made: Made,
    /// Whether the file is an object now.
    kept: bool,
}

/// A finished file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    pub(super) inode: u64,
    pub(super) size: u64,
}

/// A draft, or why there is no room for it.
pub(super) type Begun<'a> = std::result::Result<Draft<'a>, String>;

/// Room for a content of unknown size is reserved in pieces of at least that many bytes.
const PIECE: u64 = 1 << 20;

impl<'a> Draft<'a> {
    /// Fills a draft from a stream, which has `size` bytes if that is known.
    pub(super) fn from_stream(
        depot: &'a Depot,
        size: Option<u64>,
        content: &mut dyn Read,
    ) -> anyhow::Result<Begun<'a>> {
        let begun = depot.with_writer(|writer| {
            let draft = match Self::begin(depot, writer, charge(size.unwrap_or(0)))? {
                Ok(draft) => draft,
                Err(why) => return Ok(Err(why)),
            };
            let file = depot.disk.create(&draft.path).with_context(|| cannot_write(&draft.path))?;
            Ok(Ok((draft, file)))
        })?;
        let (mut draft, mut file) = match begun {
            Ok(begun) => begun,
            Err(why) => return Ok(Err(why)),
        };
        fault::point("put: draft made");
        if let Some(why) = draft.fill(&mut file, content)? {
            return Ok(Err(why));
        }
        draft.flush(&file)?;
        let made = file.metadata().with_context(|| cannot_write(&draft.path))?;
        draft.made = Made { inode: made.ino(), size: made.len() };
        Ok(Ok(draft))
    }

    /// Makes a draft of a file, which has `size` bytes if that is known: the file itself if it can be shared, else a copy.
    pub(super) fn from_file(depot: &'a Depot, size: Option<u64>, source: &Path) -> anyhow::Result<Begun<'a>> {
        let size = match size {
            Some(size) => size,
            None => fs::metadata(source).with_context(|| format!("could not look at `{}`", source.display()))?.len(),
        };
        let linked = depot.with_writer(|writer| {
            let mut draft = match Self::begin(depot, writer, charge(size))? {
                Ok(draft) => draft,
                Err(why) => return Ok(Err(why)),
            };
            let linked = draft.link(source, size)?;
            fault::point("put: linked");
            Ok(Ok((draft, linked)))
        })?;
        match linked {
            Ok((draft, true)) => Ok(Ok(draft)),
            Ok((draft, false)) => {
                drop(draft);
                Self::copy_of(depot, source)
            }
            Err(why) => Ok(Err(why)),
        }
    }

    /// Makes the file itself the draft, if that is all the same; whether it is.
    fn link(&mut self, source: &Path, size: u64) -> anyhow::Result<bool> {
        if !self.writer.links() || fs::hard_link(source, &self.path).is_err() {
            return Ok(false);
        }
        let found = fs::symlink_metadata(&self.path).with_context(|| cannot_write(&self.path))?;
        let same = self.writer.is_as_made_here(&found) && found.len() == size;
        if same && self.depot.disk.sync == FileSync::Sync {
            self.flush(&File::open(&self.path).with_context(|| cannot_write(&self.path))?)?;
        }
        self.made = Made { inode: found.ino(), size };
        Ok(same)
    }

    fn copy_of(depot: &'a Depot, source: &Path) -> anyhow::Result<Begun<'a>> {
        let cannot_read = || format!("could not open `{}`", source.display());
        let mut from = File::open(source).with_context(cannot_read)?;
        let before = from.metadata().with_context(cannot_read)?;
        let begun = Self::from_stream(depot, Some(before.len()), &mut from)?;
        let after = from.metadata().with_context(cannot_read)?;
        let state = |file: &Metadata| (file.len(), file.mtime(), file.mtime_nsec());
        ensure!(state(&before) == state(&after), "unstable: `{}` changed while it was stored", source.display());
        Ok(begun)
    }

    fn begin(depot: &'a Depot, writer: &Arc<Writer>, room: u64) -> anyhow::Result<Begun<'a>> {
        if let Some(why) = depot.reserve(writer, room)? {
            return Ok(Err(why));
        }
        Ok(Ok(Self {
            depot,
            writer: writer.clone(),
            path: writer.draft_path(),
            reserved: room,
            made: Made::default(),
            kept: false,
        }))
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file has become an object.
    pub(super) fn kept(mut self) {
        let room = charge(self.made.size);
        self.writer.room().spend(room);
        self.reserved = self.reserved.saturating_sub(room);
        self.kept = true;
    }

    /// Copies a stream, reserving room as it grows; `Some` is the reason why there is no more.
    fn fill(&mut self, file: &mut File, content: &mut dyn Read) -> anyhow::Result<Option<String>> {
        let mut buffer = vec![0; 128 << 10];
        let (mut size, mut alive) = (0, Instant::now());
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            size += read as u64;
            if let Some(why) = self.grow(charge(size))? {
                return Ok(Some(why));
            }
            file.write_all(buffer.get(..read).unwrap_or_default()).with_context(|| cannot_write(&self.path))?;
            if alive.elapsed() > LEASE / 4 {
                self.writer.keep_alive()?;
                alive = Instant::now();
            }
        }
        self.shrink(charge(size));
        Ok(None)
    }

    /// Reserves until there is room for `wanted` bytes in all.
    fn grow(&mut self, wanted: u64) -> anyhow::Result<Option<String>> {
        let Some(missing) = wanted.checked_sub(self.reserved).filter(|missing| *missing > 0) else { return Ok(None) };
        if wanted > self.depot.size {
            return self.depot.reserve(&self.writer, wanted);
        }
        let generous = missing.max(PIECE.min(self.depot.size / 16));
        for more in [generous, missing] {
            match self.depot.reserve(&self.writer, more)? {
                Some(why) if more == missing => return Ok(Some(why)),
                Some(_) => {}
                None => {
                    self.reserved += more;
                    break;
                }
            }
        }
        Ok(None)
    }

    fn shrink(&mut self, room: u64) {
        self.writer.room().release(self.reserved.saturating_sub(room));
        self.reserved = self.reserved.min(room);
    }

    fn flush(&self, file: &File) -> anyhow::Result<()> {
        self.depot.disk.flush(file).with_context(|| cannot_write(&self.path))
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.kept {
            _ = fs::remove_file(&self.path);
        }
        if self.reserved > 0 {
            self.writer.room().release(self.reserved);
        }
    }
}

fn cannot_write(path: &Path) -> String {
    format!("could not write `{}`", path.display())
}
