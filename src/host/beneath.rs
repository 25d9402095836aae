//! A directory beneath which files are changed without ever passing through a symlink.
//!
//! Each directory on the way is opened relative to the one above it and refused if it is a symlink, so that the check
//! and the use cannot be torn apart by someone who puts a link there in between.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Error, Result, errno};

/// The directory at the top. It may itself be reached through symlinks.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    fd: OwnedFd,
    /// Whether symlinks below it are as good as directories.
    trusting: bool,
}

/// A directory beneath a [`Root`], open for changes. If its mode forbade them, it does so again once this is dropped;
/// directories of the system stay as they are.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
    fd: OwnedFd,
    restore: Option<Mode>,
}

impl Root {
    /// Opens a directory whose content is ours.
    pub(crate) fn open(path: &Path) -> Result<Root> {
        Ok(Root { path: path.to_path_buf(), fd: open(CWD, path, path, OFlags::empty())?, trusting: false })
    }

    /// Opens a directory whose content is ours, if it is there.
    pub(crate) fn present(path: &Path) -> Result<Option<Root>> {
        absent_is_none(Root::open(path))
    }

    /// Opens a directory of the system, whose symlinks are trusted: `/lib` may well be one.
    pub(crate) fn trusting(path: &Path) -> Result<Root> {
        Ok(Root { trusting: true, ..Root::open(path)? })
    }

    /// The directory at a relative path.
    ///
    /// # Errors
    ///
    /// It is missing or something else; a component is `..` or, unless the root is trusting, a symlink.
    pub(crate) fn dir(&self, relative: &Path) -> Result<Dir> {
        let path = self.path.join(relative);
        let fd = self.descend(relative, &path)?;
        if self.trusting { Ok(Dir { path, fd, restore: None }) } else { Dir::writable(fd, path) }
    }

    /// The directory at a relative path, if one is there that [`dir`](Root::dir) would open.
    pub(crate) fn find(&self, relative: &Path) -> Result<Option<Dir>> {
        absent_is_none(self.dir(relative))
    }

    fn descend(&self, relative: &Path, path: &Path) -> Result<OwnedFd> {
        let links = if self.trusting { OFlags::empty() } else { OFlags::NOFOLLOW };
        let mut fd = self.fd.try_clone().map_err(Error::io("open the directory", path))?;
        for component in relative.components() {
            match component {
                Component::Normal(name) => fd = open(fd.as_fd(), Path::new(name), path, links)?,
                _ => return Err(Error::io("open", path)(io::Error::other("not a plain relative path"))),
            }
        }
        Ok(fd)
    }
}

impl Dir {
    fn writable(fd: OwnedFd, path: PathBuf) -> Result<Dir> {
        let failed = |error| Error::io("open the directory", &path)(errno(error));
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&fd).map_err(failed)?.st_mode & 0o7777);
        let restore = match mode.contains(Mode::WUSR | Mode::XUSR) {
            true => None,
            // The owner of a read-only directory may open it up; anyone else gets the error at the change itself.
            false => rustix::fs::fchmod(&fd, mode | Mode::RWXU).is_ok().then_some(mode),
        };
        Ok(Dir { path, fd, restore })
    }

    /// The path of `name` in it, for messages and for reading.
    pub(crate) fn join(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a directory that its owner can fill; whether it is new.
    pub(crate) fn mkdir(&self, name: &OsStr, mode: u32) -> Result<bool> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode & 0o777 | 0o700)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(Error::io("create the directory", self.join(name))(errno(error))),
        }
    }

    /// Gives the directory itself its mode, now if possible and in any case when dropped.
    pub(crate) fn set_mode(&mut self, mode: u32) -> Result<()> {
        self.restore = None;
        rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(mode & 0o7777))
            .map_err(|error| Error::io("set the mode of", &self.path)(errno(error)))
    }

    /// Removes a file or symlink, never a directory. Whether there was one.
    pub(crate) fn unlink(&self, name: &OsStr) -> Result<bool> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::ISDIR) => Ok(false),
            Err(error) => Err(Error::io("remove", self.join(name))(errno(error))),
        }
    }

    /// Removes a directory if it is empty; whether it is gone.
    pub(crate) fn rmdir(&self, name: &OsStr) -> Result<bool> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::BUSY) => Ok(false),
            Err(error) => Err(Error::io("remove", self.join(name))(errno(error))),
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        if let Some(mode) = self.restore {
            let _ = rustix::fs::fchmod(&self.fd, mode);
        }
    }
}

fn absent_is_none<T>(opened: Result<T>) -> Result<Option<T>> {
    let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP];
    let is_absence = |error: &io::Error| Errno::from_io_error(error).is_some_and(|error| absent.contains(&error));
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(Error::Io { source, .. }) if is_absence(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(dir: BorrowedFd<'_>, name: &Path, path: &Path, extra: OFlags) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | extra;
    rustix::fs::openat(dir, name, flags, Mode::empty())
        .map_err(|error| Error::io("open the directory", path)(errno(error)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_symlink_on_the_way_is_refused_unless_the_root_is_trusting() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("real/sub")).unwrap();
        symlink("real", dir.path().join("link")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(root.dir(Path::new("real/sub")).is_ok());
        assert!(root.dir(Path::new("link/sub")).is_err());
        assert!(root.find(Path::new("link/sub")).unwrap().is_none());
        assert!(root.find(Path::new("missing")).unwrap().is_none());
        assert!(root.find(Path::new("real/sub")).unwrap().is_some());
        assert!(root.dir(Path::new("real/../real")).is_err());
        assert!(Root::trusting(dir.path()).unwrap().dir(Path::new("link/sub")).is_ok());
        assert!(Root::open(&dir.path().join("link")).unwrap().dir(Path::new("sub")).is_ok());
    }

    #[test]
    fn a_read_only_directory_is_writable_while_open() {
        let dir = tempfile::tempdir().unwrap();
        let locked = dir.path().join("locked");
        fs::create_dir(&locked).unwrap();
        let mode = || fs::metadata(&locked).unwrap().permissions().mode() & 0o7777;
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
        let open = Root::open(dir.path()).unwrap().dir(Path::new("locked")).unwrap();
        assert_eq!(mode(), 0o755);
        assert!(open.mkdir(OsStr::new("new"), 0o755).unwrap());
        assert!(!open.mkdir(OsStr::new("new"), 0o755).unwrap());
        drop(open);
        assert_eq!(mode(), 0o555);
        let _system = Root::trusting(dir.path()).unwrap().dir(Path::new("locked")).unwrap();
        assert_eq!(mode(), 0o555);
    }

    #[test]
    fn removal_says_whether_something_was_there() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("full/file")).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let open = Root::open(dir.path()).unwrap().dir(Path::new("")).unwrap();
        assert!(open.unlink(OsStr::new("file")).unwrap());
        assert!(!open.unlink(OsStr::new("file")).unwrap());
        assert!(!open.rmdir(OsStr::new("full")).unwrap());
        assert!(open.rmdir(OsStr::new("gone")).unwrap());
    }
}
