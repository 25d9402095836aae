//! The draft: a file on its way into a store, with room reserved for it.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};

use super::depot::Depot;
use super::entry::charge;
use super::fault;
use super::writer::{LEASE, Writer};

/// A file in a writer's directory. Dropped, it is removed and its room given back.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    depot: &'a Depot,
    pub(super) writer: Arc<Writer>,
    path: PathBuf,
    reserved: u64,
    /// Whether the file is an object now.
    kept: bool,
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
        draft.finish(&file)?;
        Ok(Ok(draft))
    }

    /// Makes a draft of a file: the file itself if it can be shared, else a copy.
    pub(super) fn from_file(depot: &'a Depot, source: &Path) -> anyhow::Result<Begun<'a>> {
        let found = fs::metadata(source).with_context(|| format!("could not look at `{}`", source.display()))?;
        depot.with_writer(|writer| {
            let draft = match Self::begin(depot, writer, charge(found.len()))? {
                Ok(draft) => draft,
                Err(why) => return Ok(Err(why)),
            };
            let linked = writer.can_link(&found) && fs::hard_link(source, &draft.path).is_ok();
            fault::point("put: linked");
            match linked {
                true => draft.dress(&found).with_context(|| cannot_write(&draft.path))?,
                false => draft.copy(source, &found)?,
            }
            Ok(Ok(draft))
        })
    }

    fn begin(depot: &'a Depot, writer: &Arc<Writer>, room: u64) -> anyhow::Result<Begun<'a>> {
        if let Some(why) = depot.reserve(writer, room)? {
            return Ok(Err(why));
        }
        Ok(Ok(Self { depot, writer: writer.clone(), path: writer.draft_path(), reserved: room, kept: false }))
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file has become an object of that size.
    pub(super) fn kept(mut self, size: u64) {
        let room = charge(size);
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

    fn copy(&self, source: &Path, found: &Metadata) -> anyhow::Result<()> {
        let mut from = File::open(source).with_context(|| format!("could not open `{}`", source.display()))?;
        let mut to = self.depot.disk.create(&self.path).with_context(|| cannot_write(&self.path))?;
        let copied = io::copy(&mut (&mut from).take(found.len()), &mut to).with_context(|| cannot_write(&self.path))?;
        let after = from.metadata()?;
        let state = |file: &Metadata| (file.ino(), file.len(), file.mtime(), file.mtime_nsec());
        let stable = copied == found.len() && state(found) == state(&after);
        ensure!(stable, "unstable: `{}` changed while it was stored", source.display());
        self.finish(&to)
    }

    /// Gives a file from elsewhere the mode of one that was made here.
    fn dress(&self, found: &Metadata) -> io::Result<()> {
        if found.mode() & 0o7777 != self.writer.mode() {
            fs::set_permissions(&self.path, Permissions::from_mode(self.writer.mode()))?;
        }
        if self.depot.disk.sync == super::FileSync::Sync { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }

    fn finish(&self, file: &File) -> anyhow::Result<()> {
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
