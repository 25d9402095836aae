//! The place of one content in the source cache: its directory, held by a lock while someone works in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::host::checksum;
use crate::model::{Algorithm, Checksum};

/// How long a waiter lets the holder of a lock work before it looks again.
const PATIENCE: Duration = Duration::from_millis(20);

/// A locked directory of the cache. Dropping it removes the lock, and the directory if it holds nothing.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    dir: PathBuf,
    name: String,
    checksum: &'a Checksum,
    _lock: File,
}

impl<'a> Slot<'a> {
    /// Locks the place of `checksum`, waiting for whoever holds it.
    pub(super) fn lock(
        cache_dir: &Path,
        checksum: &'a Checksum,
        name: &str,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let dir = cache_dir.join(key(checksum));
        loop {
            fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
            match try_lock(&dir.join(".lock"))? {
                Some(lock) => return Ok(Self { dir, name: name.to_owned(), checksum, _lock: lock }),
                None if cancelled() => return Err(Error::Interrupted),
                None => std::thread::sleep(PATIENCE),
            }
        }
    }

    /// Whether the verified file is here. A file that went bad is removed; one of another name is taken over.
    pub(super) fn reuse(&self) -> Result<bool> {
        if self.is_verified(&self.path())? {
            return Ok(true);
        }
        for entry in fs::read_dir(&self.dir).map_err(Error::io("read", &self.dir))? {
            let entry = entry.map_err(Error::io("read", &self.dir))?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && self.is_verified(&entry.path())? {
                fs::hard_link(entry.path(), self.path()).map_err(Error::io("link", self.path()))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives a verified file its final name, and removes what is left of earlier attempts.
    ///
    /// Its mode becomes 0644, wherever it came from: a plain file's mode may reach an artifact.
    pub(super) fn finish(&self, verified: &Path) -> Result<()> {
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(verified, mode).map_err(Error::io("change the mode of", verified))?;
        fs::rename(verified, self.path()).map_err(Error::io("rename", verified))?;
        self.forget_part()
    }

    /// Removes what is left of earlier attempts.
    pub(super) fn forget_part(&self) -> Result<()> {
        remove(&self.part_path())?;
        remove(&self.validator_path())
    }

    /// The final name of the file.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// Where a file grows while it arrives.
    pub(super) fn part_path(&self) -> PathBuf {
        self.dir.join(format!(".{}.part", self.name))
    }

    /// Where the ETag or date of a partial file is noted.
    pub(super) fn validator_path(&self) -> PathBuf {
        self.dir.join(format!(".{}.validator", self.name))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn is_verified(&self, path: &Path) -> Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() => {}
            _ => return Ok(false),
        }
        if checksum::of_file(path, &[self.checksum.algorithm()])?.is(self.checksum) {
            return Ok(true);
        }
        remove(path)?;
        Ok(false)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        // Still locked: a waiter that has the file open finds that it is gone and starts over.
        let _ = fs::remove_file(self.dir.join(".lock"));
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The directory of a content: its SHA-256, or another digest after its algorithm.
fn key(checksum: &Checksum) -> String {
    match checksum.algorithm() {
        Algorithm::Sha256 => checksum.hex().to_owned(),
        algorithm => format!("{algorithm}-{}", checksum.hex()),
    }
}

/// The lock, unless someone else holds it or removed it in the meantime.
fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = match OpenOptions::new().create(true).append(true).open(path) {
        Ok(file) => file,
        // The directory went away together with the last lock.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("create", path)(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
    }
    let held = file.metadata().map_err(Error::io("read", path))?;
    let same = fs::metadata(path).is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
    Ok(same.then_some(file))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
