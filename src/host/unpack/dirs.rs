//! A way into directories below a root that no symbolic link can bend.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, Result};

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens directories below a root and keeps the last one open, since the next member mostly lies there too.
pub(super) struct Dirs {
    root: Arc<OwnedFd>,
    current: Option<(PathBuf, Arc<OwnedFd>)>,
}

impl Dirs {
    pub(super) fn below(root: &File) -> std::io::Result<Self> {
        Ok(Self { root: Arc::new(root.as_fd().try_clone_to_owned()?), current: None })
    }

    /// The directory at the relative path `dir`, which is the root itself when empty.
    ///
    /// `ENOTDIR` or `ELOOP` when a component is a symbolic link.
    pub(super) fn enter(&mut self, dir: &Path) -> Result<&Arc<OwnedFd>> {
        if dir.as_os_str().is_empty() {
            return Ok(&self.root);
        }
        let opened = match self.current.take() {
            Some((path, fd)) if path == dir => (path, fd),
            _ => (dir.to_path_buf(), Arc::new(open(self.root.as_fd(), dir)?)),
        };
        Ok(&self.current.insert(opened).1)
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
    use std::fs;
    use std::os::unix::fs::symlink;

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
}
