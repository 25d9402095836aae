//! Small files, written by worker threads, many at a time.
//!
//! Creating a file costs the kernel more than filling it, and nothing makes one file wait for another; so files are
//! gathered into batches that the machine's cores work off side by side.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Timespec, Timestamps};

use crate::host::busy;
use crate::host::lanes::{Lanes, Worker};
use crate::host::listing::{Entry, Kind};

/// Larger files are written as they are read.
pub(super) const LARGEST: u64 = 256 * 1024;

/// A batch is sent when it has so many bytes, files or directories; each directory is an open file.
const BATCH_BYTES: usize = 512 * 1024;
const BATCH_FILES: usize = 256;
const BATCH_DIRS: usize = 16;

/// The kernel takes so many writers well; more would only wait for each other.
const MOST_WRITERS: usize = 4;

const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Writes files that may be created in any order, and waits for them when it is dropped.
pub(super) struct Files {
    lanes: Lanes<Batch, Result<Batch, Failure>>,
    batch: Batch,
    spares: Vec<Batch>,
    written: Vec<Entry>,
}

/// A file to be created.
pub(super) struct NewFile {
    /// In the archive.
    pub(super) path: PathBuf,
    /// The directory of `path`.
    pub(super) dir: Arc<OwnedFd>,
    pub(super) mode: u32,
    pub(super) mtime: (i64, u32),
    /// Bytes of content.
    pub(super) size: usize,
}

/// A file that could not be created.
pub(super) struct Failure {
    /// In the archive.
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

#[derive(Default)]
struct Batch {
    files: Vec<NewFile>,
    written: Vec<Entry>,
    /// All contents, one after the other, and the rest of what an earlier batch left there.
    content: Vec<u8>,
    /// Bytes of `content` that count.
    filled: usize,
    dirs: usize,
}

impl Files {
    pub(super) fn new() -> Self {
        let worker = || -> Worker<Batch, Result<Batch, Failure>> { Box::new(write_batch) };
        Self {
            lanes: Lanes::new(0, worker).at_most(MOST_WRITERS),
            batch: Batch::default(),
            spares: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Makes room for `file`'s content, which the caller has to fill in.
    pub(super) fn add(&mut self, file: NewFile) -> Result<&mut [u8], Failure> {
        if self.batch.is_full() {
            self.send()?;
        }
        let batch = &mut self.batch;
        let is_new = batch.files.last().is_none_or(|last| !Arc::ptr_eq(&last.dir, &file.dir));
        batch.dirs += usize::from(is_new);
        let start = batch.filled;
        batch.filled += file.size;
        if batch.content.len() < batch.filled {
            batch.content.resize(batch.filled, 0);
        }
        batch.files.push(file);
        Ok(&mut batch.content[start..batch.filled])
    }

    /// Waits until every file is there.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if !self.batch.files.is_empty() {
            self.send()?;
        }
        while self.receive()? {}
        Ok(())
    }

    /// The files that are there since the last call, each as it was when it was finished.
    pub(super) fn take_written(&mut self) -> Vec<Entry> {
        mem::take(&mut self.written)
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.lanes.are_full() {
            self.receive()?;
        }
        let batch = mem::replace(&mut self.batch, self.spares.pop().unwrap_or_default());
        self.lanes.give(batch).map_err(Failure::of_thread)
    }

    fn receive(&mut self) -> Result<bool, Failure> {
        let Some(written) = self.lanes.take().map_err(Failure::of_thread)? else { return Ok(false) };
        let mut batch = written?;
        self.written.append(&mut batch.written);
        self.spares.push(batch);
        Ok(true)
    }
}

impl Drop for Files {
    /// Whoever deletes the directory after a failure must not meet a worker there.
    fn drop(&mut self) {
        while let Ok(Some(_)) = self.lanes.take() {}
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.filled >= BATCH_BYTES || self.files.len() >= BATCH_FILES || self.dirs >= BATCH_DIRS
    }
}

impl Failure {
    fn of_thread(error: io::Error) -> Self {
        Self { path: PathBuf::new(), error }
    }
}

fn write_batch(mut batch: Batch) -> Result<Batch, Failure> {
    let mut content = batch.content.as_slice();
    for file in batch.files.drain(..) {
        let (own, rest) = content.split_at(file.size);
        content = rest;
        match write(&file, own) {
            Ok(found) => batch.written.push(Entry::of(file.path, Kind::File, &found)),
            Err(error) => return Err(Failure { path: file.path, error }),
        }
    }
    (batch.filled, batch.dirs) = (0, 0);
    Ok(batch)
}

fn write(new: &NewFile, content: &[u8]) -> io::Result<Metadata> {
    let name = new.path.file_name().unwrap_or_default();
    let _nobody_starts = busy::writing_program(new.mode);
    let mut file = create(&new.dir, name, new.mode)?;
    file.write_all(content)?;
    finish(&file, new.mode, new.mtime)
}

/// Creates a file, with its final mode if it may have that while it is written and the umask allows it.
pub(super) fn create(dir: impl AsFd, name: &OsStr, mode: u32) -> rustix::io::Result<File> {
    rustix::fs::openat(dir, name, CREATE, Mode::from_raw_mode(mode & 0o777)).map(File::from)
}

/// Sets time and mode, and says what became of the file.
///
/// The mode is last of all that is done to it, since writing takes setuid away; mostly it is there already, and to
/// look costs less than to set it.
pub(super) fn finish(file: &File, mode: u32, mtime: (i64, u32)) -> io::Result<Metadata> {
    rustix::fs::futimens(file, &times(mtime))?;
    let found = file.metadata()?;
    if found.mode() & 0o7777 == mode {
        return Ok(found);
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    file.metadata()
}

/// Access times are nobody's business: the same as the modification time, which gives equal trees.
pub(super) fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
