//! The cacher: what `fetch` is handed. It names an artifact and unpacks the file that the callback found.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use tempfile::NamedTempFile;

use super::miss::Miss;
use super::provenance::Provenance;
use super::remarks::{Remark, Remarks};
use super::trust::Trust;
use crate::error::Error;
use crate::host::fs;
use crate::host::layout::Layout;
use crate::host::listing::Entry;
use crate::host::unpack::{Limits, unpack_artifact};
use crate::model::Digest;

/// Bytes of an artifact that are read ahead.
const READ_AT_ONCE: usize = 64 << 10;

/// Names the artifact that a task wants, and takes what a callback found. Cheap to clone.
///
/// What is unpacked goes into a fresh directory of its own; it becomes the task's tree only when all of it arrived
/// and verified, so a callback can do no harm by unpacking garbage.
#[derive(Debug, Clone)]
pub struct Cacher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    tag: String,
    filename: String,
    scratch: PathBuf,
    top: PathBuf,
    trust: Trust,
    found: Mutex<Found>,
    origin: Mutex<Option<Provenance>>,
    bytes: AtomicU64,
    remarks: Remarks,
}

/// What the callback has handed over so far.
#[derive(Debug, Default)]
pub(crate) enum Found {
    /// Nothing yet.
    #[default]
    Nothing,
    /// A whole artifact, unpacked and verified.
    Whole(Restored),
    /// Something that is not an artifact, or not all of one.
    Corrupt(String),
    /// An artifact that nobody who is trusted vouches for, and why.
    Untrusted(String),
    /// The engine waits no longer: whatever comes now is dropped.
    Closed,
}

/// An artifact, unpacked and verified.
#[derive(Debug)]
pub(crate) struct Restored {
    /// What holds the tree.
    room: Room,
    /// The SHA-256 of its uncompressed tar.
    pub(crate) digest: Digest,
    /// What lies in the room, from `/` on and in the order of a listing.
    pub(crate) entries: Vec<Entry>,
}

impl Restored {
    /// Where the tree lies, as long as nobody moves it away.
    pub(crate) fn layout(&self) -> &Layout {
        &self.room.layout
    }
}

/// A directory that goes when nobody wants it: an artifact may arrive too late, twice, or for a callback that then
/// says it missed.
#[derive(Debug)]
struct Room {
    layout: Layout,
}

impl Drop for Room {
    fn drop(&mut self) {
        // Its content may have been moved away. What cannot be removed now is swept by the next run.
        _ = fs::remove_tree(&self.layout.dir);
    }
}

/// Remembers why reading failed, which unpacking takes for damage.
struct Watched<R> {
    inner: R,
    bytes: u64,
    failure: Option<io::Error>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => {
                let told = io::Error::new(kind, error.to_string());
                self.failure.get_or_insert(error);
                told
            }
        })?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl Cacher {
    /// A cacher that unpacks below `scratch`, a directory of its own that need not exist, from `top` down where an
    /// artifact has nothing outside of that.
    pub(crate) fn new(name: &str, tag: &str, scratch: PathBuf, top: PathBuf, trust: Trust) -> Self {
        let filename = super::artifact::filename(tag);
        let (name, tag) = (name.to_owned(), tag.to_owned());
        Self {
            inner: Arc::new(Inner {
                name,
                tag,
                filename,
                scratch,
                top,
                found: Mutex::default(),
                origin: Mutex::default(),
                bytes: AtomicU64::default(),
                remarks: Remarks::default(),
                trust,
            }),
        }
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// `<prefix>-<task>-<shasum>`.
    pub fn tag(&self) -> &str {
        &self.inner.tag
    }

    /// `<tag>.tar.gz`: what the artifact is called wherever it is kept.
    pub fn filename(&self) -> &str {
        &self.inner.filename
    }

    /// Unpacks and verifies the artifact in a file. `false` when there is no such file, or when it is not a whole
    /// artifact: pass the answer on as the callback's own.
    ///
    /// # Errors
    /// When the file cannot be read or the tree cannot be written.
    pub fn unpack(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let path = path.as_ref();
        match File::open(path) {
            Ok(file) => self.unpack_from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("could not open `{}`", path.display())),
        }
    }

    /// Unpacks and verifies an artifact as it arrives. `false` when it is not a whole one.
    ///
    /// # Errors
    /// When reading fails or the tree cannot be written.
    pub fn unpack_from(&self, artifact: impl Read) -> anyhow::Result<bool> {
        let mut room = self.fresh_dir()?;
        let mut artifact = Watched { inner: artifact, bytes: 0, failure: None };
        // Most artifacts are small: one call reads them, where their members are read in pieces of a few bytes.
        let buffered = BufReader::with_capacity(READ_AT_ONCE, &mut artifact);
        let outcome = unpack_artifact(buffered, self.tag(), room.layout.clone(), Limits::default());
        self.inner.bytes.fetch_add(artifact.bytes, Ordering::Relaxed);
        if let Some(failure) = artifact.failure {
            // The way is to blame, not what lies at its other end.
            return Err(failure).context("could not read the artifact");
        }
        let mut found = self.found();
        anyhow::ensure!(!matches!(*found, Found::Closed), "the artifact arrived after its time limit");
        match outcome {
            Ok(unpacked) => match self.inner.trust.admits(self.tag(), &unpacked.digest, unpacked.signature.as_ref()) {
                Ok(()) => {
                    room.layout = unpacked.layout;
                    *found = Found::Whole(Restored { room, digest: unpacked.digest, entries: unpacked.entries });
                    Ok(true)
                }
                Err(reason) => {
                    *found = Found::Untrusted(reason);
                    Ok(false)
                }
            },
            Err(Error::Archive { problem, .. }) => {
                *found = Found::Corrupt(problem);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why the artifact that was handed over is not one, if so. A store removes such an object.
    pub fn corrupt(&self) -> Option<String> {
        match &*self.found() {
            Found::Corrupt(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    /// Disowns what was unpacked: it is whole, but nobody who is trusted vouches for it. The fetch is a miss of that
    /// kind unless something else is unpacked. It is for callbacks that check where an artifact comes from.
    pub fn distrust(&self, reason: impl Into<String>) {
        let mut found = self.found();
        if !matches!(*found, Found::Closed) {
            *found = Found::Untrusted(reason.into());
        }
    }

    /// Says where the artifact comes from that was unpacked: what a hit has saved is known by it.
    pub fn originates(&self, origin: Provenance) {
        *self.inner.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin);
    }

    /// Says something about looking for it that the user should know, though it is no error: a warning of the task.
    pub fn warn(&self, text: impl Into<String>) {
        self.remark(Remark::Warning(text.into()));
    }

    pub(crate) fn remark(&self, remark: Remark) {
        self.inner.remarks.add(remark);
    }

    /// What was said since the last call.
    pub(crate) fn take_remarks(&self) -> Vec<Remark> {
        self.inner.remarks.take()
    }

    /// Why the artifact that was handed over is not trusted, if so. It is whole; others may trust it.
    pub fn untrusted(&self) -> Option<String> {
        match &*self.found() {
            Found::Untrusted(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    /// Why what was handed over last is of no use, if it is not.
    pub(crate) fn verdict(&self) -> Option<Miss> {
        match &*self.found() {
            Found::Corrupt(reason) => Some(Miss::Corrupt(reason.clone())),
            Found::Untrusted(reason) => Some(Miss::Untrusted(reason.clone())),
            _ => None,
        }
    }

    /// The digest of the whole artifact that was handed over.
    pub(crate) fn digest(&self) -> Option<Digest> {
        match &*self.found() {
            Found::Whole(restored) => Some(restored.digest),
            _ => None,
        }
    }

    /// Whether the engine waits no longer.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.found(), Found::Closed)
    }

    /// Where the artifact comes from, as far as anyone has said.
    pub(crate) fn origin(&self) -> Option<Provenance> {
        self.inner.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes that were handed over so far, whole artifacts or not.
    pub(crate) fn bytes(&self) -> u64 {
        self.inner.bytes.load(Ordering::Relaxed)
    }

    /// A file beside what is being unpacked, for a copy of the packed artifact.
    pub(crate) fn spool(&self) -> anyhow::Result<NamedTempFile> {
        fs::create_dirs(&self.inner.scratch)?;
        let file = NamedTempFile::with_prefix_in("packed-", &self.inner.scratch);
        file.with_context(|| format!("could not create a file in `{}`", self.inner.scratch.display()))
    }

    /// Takes what was handed over; nothing is accepted from now on.
    pub(crate) fn close(&self) -> Found {
        std::mem::replace(&mut *self.found(), Found::Closed)
    }

    fn fresh_dir(&self) -> anyhow::Result<Room> {
        let scratch = &self.inner.scratch;
        let dir = fs::make_in(scratch, || tempfile::Builder::new().prefix("tree-").tempdir_in(scratch));
        let dir = dir.with_context(|| format!("could not create a directory in `{}`", scratch.display()))?;
        Ok(Room { layout: Layout::below(&dir.keep(), &self.inner.top) })
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.inner.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
