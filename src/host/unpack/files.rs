//! Small files, written by worker threads, many at a time.
//!
//! Creating a file costs the kernel more than filling it, and nothing makes one file wait for another; so files are
//! gathered into batches that the machine's cores work off side by side.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Timespec, Timestamps};

use crate::error::errno;
use crate::host::lanes::{Lanes, Worker};

/// Larger files are written as they are read.
pub(super) const LARGEST: u64 = 256 * 1024;

/// A batch is sent when it has so many bytes, files or directories; each directory is an open file.
const BATCH_BYTES: usize = 512 * 1024;
const BATCH_FILES: usize = 256;
const BATCH_DIRS: usize = 16;

/// The kernel takes so many writers well; more would only wait for each other.
const MOST_WRITERS: usize = 4;

pub(super) const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Writes files that may be created in any order, and waits for them when it is dropped.
pub(super) struct Files {
    lanes: Lanes<Batch, Result<Batch, Failure>>,
    batch: Batch,
    spares: Vec<Batch>,
}

/// A file to be created.
pub(super) struct NewFile {
    pub(super) dir: Arc<OwnedFd>,
    pub(super) name: OsString,
    /// What the archive calls it.
    pub(super) member: Vec<u8>,
    pub(super) mode: u32,
    pub(super) mtime: (i64, u32),
    /// Bytes of content.
    pub(super) size: usize,
}

/// A file that could not be created.
pub(super) struct Failure {
    pub(super) member: Vec<u8>,
    pub(super) error: io::Error,
}

#[derive(Default)]
struct Batch {
    files: Vec<NewFile>,
    /// All contents, one after the other.
    content: Vec<u8>,
    dirs: usize,
}

impl Files {
    pub(super) fn new() -> Self {
        let worker = || -> Worker<Batch, Result<Batch, Failure>> { Box::new(write_batch) };
        Self { lanes: Lanes::new(0, worker).at_most(MOST_WRITERS), batch: Batch::default(), spares: Vec::new() }
    }

    /// Makes room for `file`'s content, which the caller has to fill in.
    pub(super) fn add(&mut self, file: NewFile) -> Result<&mut [u8], Failure> {
        if self.batch.is_full() {
            self.send()?;
        }
        let batch = &mut self.batch;
        let is_new = batch.files.last().is_none_or(|last| !Arc::ptr_eq(&last.dir, &file.dir));
        batch.dirs += usize::from(is_new);
        let start = batch.content.len();
        batch.content.resize(start + file.size, 0);
        batch.files.push(file);
        Ok(&mut batch.content[start..])
    }

    /// Waits until every file is there.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if !self.batch.files.is_empty() {
            self.send()?;
        }
        while self.receive()? {}
        Ok(())
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
        self.spares.push(written?);
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
        self.content.len() >= BATCH_BYTES || self.files.len() >= BATCH_FILES || self.dirs >= BATCH_DIRS
    }
}

impl Failure {
    fn of_thread(error: io::Error) -> Self {
        Self { member: Vec::new(), error }
    }
}

fn write_batch(mut batch: Batch) -> Result<Batch, Failure> {
    let mut content = batch.content.as_slice();
    for file in batch.files.drain(..) {
        let (own, rest) = content.split_at(file.size);
        content = rest;
        write(&file, own).map_err(|error| Failure { member: file.member, error })?;
    }
    batch.content.clear();
    batch.dirs = 0;
    Ok(batch)
}

fn write(new: &NewFile, content: &[u8]) -> io::Result<()> {
    let created = rustix::fs::openat(&new.dir, new.name.as_os_str(), CREATE, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(created);
    file.write_all(content)?;
    finish(&file, new.mode, new.mtime).map_err(errno)
}

/// Sets mode and times; the mode last of all that is done to a file, since writing takes setuid away.
pub(super) fn finish(fd: impl AsFd, mode: u32, mtime: (i64, u32)) -> rustix::io::Result<()> {
    rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode))?;
    rustix::fs::futimens(&fd, &times(mtime))
}

/// Access times are nobody's business: the same as the modification time, which gives equal trees.
pub(super) fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
