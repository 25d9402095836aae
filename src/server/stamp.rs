//! The stamp: what a file looks like from outside. While it looks like that, it is not read again.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Inode, size and times of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp([i64; 6]);

impl Stamp {
    /// That of the file that a path leads to.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let (inode, size) = (found.ino().cast_signed(), found.size().cast_signed());
        Ok(Self([inode, size, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]))
    }
}
