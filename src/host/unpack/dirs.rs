//! A way into directories below a root that no symbolic link can bend.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, Result};

use crate::host::listing::bytes;

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Directories kept open at most: an archive decides how deep it goes, the machine how many files may be open.
const MOST: usize = 32;

/// Opens directories below a root and keeps the last one open with those above it, since the next member mostly lies
/// there too, or beside it.
pub(super) struct Dirs {
    root: Arc<OwnedFd>,
    /// Each lies below the one before it.
    opened: Vec<(PathBuf, Arc<OwnedFd>)>,
}

impl Dirs {
    pub(super) fn below(root: Arc<OwnedFd>) -> Self {
        Self { root, opened: Vec::new() }
    }

    /// The directory at the relative path `dir`, which is the root itself when empty.
    ///
    /// `ENOTDIR` or `ELOOP` when a component is a symbolic link.
    pub(super) fn enter(&mut self, dir: &Path) -> Result<&Arc<OwnedFd>> {
        while self.opened.pop_if(|(path, _)| below(path, dir).is_none()).is_some() {}
        let (known, fd) = self.opened.last().map_or((Path::new(""), &self.root), |(path, fd)| (path, fd));
        let Some(rest) = below(known, dir).filter(|rest| !rest.is_empty()) else {
            return Ok(self.opened.last().map_or(&self.root, |(_, fd)| fd));
        };
        let opened = Arc::new(open(fd.as_fd(), Path::new(OsStr::from_bytes(rest)))?);
        if self.opened.len() == MOST {
            self.opened.pop();
        }
        self.opened.push((dir.to_path_buf(), opened));
        Ok(self.opened.last().map_or(&self.root, |(_, fd)| fd))
    }
}

/// What is left of `dir` below `above`, by bytes: both are clean. Nothing is left of the same directory.
fn below<'a>(above: &Path, dir: &'a Path) -> Option<&'a [u8]> {
    match bytes(dir).strip_prefix(bytes(above))? {
        rest if bytes(above).is_empty() => Some(rest),
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

fn open(root: BorrowedFd, dir: &Path) -> Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, dir, FLAGS, Mode::empty(), resolve) {
        // Before Linux 5.6, and in sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => walk(root, dir),
        result => result,
    }
}

/// The same, component by component.
fn walk(root: BorrowedFd, dir: &Path) -> Result<OwnedFd> {
    let mut current = None::<OwnedFd>;
    for component in dir.components() {
        let Component::Normal(name) = component else { return Err(Errno::XDEV) };
        let parent = current.as_ref().map_or(root, AsFd::as_fd);
        current = Some(rustix::fs::openat(parent, name, FLAGS, Mode::empty())?);
    }
    current.ok_or(Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn both_ways_in_refuse_links_and_dots() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b/c")).unwrap();
        symlink("a", root.path().join("link")).unwrap();
        symlink("/", root.path().join("a/out")).unwrap();
        let top = File::open(root.path()).unwrap();
        for way in [open, walk] {
            assert!(way(top.as_fd(), Path::new("a/b/c")).is_ok());
            for bent in ["link", "link/b", "a/out", "a/out/tmp", "../x", "..", "a/../../x", "/", "/tmp"] {
                assert!(way(top.as_fd(), Path::new(bent)).is_err(), "{bent}");
            }
        }
    }

    #[test]
    fn the_way_from_one_directory_to_another_does_not_matter() {
        let root = tempfile::tempdir().unwrap();
        let deep = "d/".repeat(2 * MOST);
        for dir in ["a/b/c", "a/bc", "ab", deep.trim_end_matches('/')] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let mut dirs = Dirs::below(Arc::new(File::open(root.path()).unwrap().into()));
        let mut ways: Vec<_> = ["a/b", "a/b/c", "a/bc", "a", "", "ab", "a/b/c"].map(PathBuf::from).to_vec();
        ways.extend((1..=2 * MOST).map(|depth| PathBuf::from(deep[..2 * depth - 1].to_owned())));
        for dir in ways {
            let entered = File::from(dirs.enter(&dir).unwrap().try_clone().unwrap()).metadata().unwrap();
            assert_eq!(entered.ino(), fs::metadata(root.path().join(&dir)).unwrap().ino(), "{dir:?}");
            assert!(dirs.opened.len() <= MOST);
        }
        assert!(dirs.enter(Path::new("a/b/missing")).is_err());
        assert!(dirs.enter(Path::new("a/b")).is_ok());
    }
}
