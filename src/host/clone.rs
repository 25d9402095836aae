//! Puts files of a tree at their installed place: by reflink, else hard link, else copy.
//!
//! A file appears whole under its name, in place of whatever file was there: whoever has the old one open keeps it, and
//! nobody finds the name missing. Which ways work is learnt by trying them, and a reflink is not tried twice between
//! the same two devices: a failing one costs as much as a small copy.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, FileTimes, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::beneath::Dir;
use super::busy;
use super::drafts::Drafts;
use super::listing::Entry;
use crate::error::{Error, Result};
use crate::model::LinkMode;

/// Clones files, and remembers which devices can share blocks.
#[derive(Debug)]
pub(crate) struct Cloner {
    mode: LinkMode,
    /// By source and destination device: whether a reflink works.
    reflinks: Mutex<HashMap<(u64, u64), bool>>,
    drafts: Drafts,
}

impl Cloner {
    pub(crate) fn new(mode: LinkMode, drafts: Drafts) -> Self {
        Self { mode, reflinks: Mutex::default(), drafts }
    }

    /// The names of what is not whole yet.
    pub(crate) fn drafts(&self) -> &Drafts {
        &self.drafts
    }

    /// Puts the file `source`, described by `entry`, at `name` in `dir`. Mode and modification time are the entry's.
    pub(crate) fn file(&self, source: &Path, entry: &Entry, dir: &Dir, name: &OsStr) -> Result<()> {
        self.try_file(source, entry, dir, name).map_err(Error::io("install", dir.join(name)))
    }

    /// Makes `name` in `dir` another name of the file `source`, which is beneath the same root.
    pub(crate) fn name_again(&self, source: &Path, dir: &Dir, name: &OsStr) -> Result<()> {
        let put = |name: &OsStr| Ok(rustix::fs::linkat(CWD, source, dir, name, AtFlags::empty())?);
        self.put(dir, name, put).map_err(Error::io("link", dir.join(name)))
    }

    /// Makes `name` in `dir` a symlink that says `target`, dated as its entry is.
    pub(crate) fn symlink(&self, target: &Path, entry: &Entry, dir: &Dir, name: &OsStr) -> Result<()> {
        let (tv_sec, nanoseconds) = entry.stat.mtime;
        let time = Timespec { tv_sec, tv_nsec: nanoseconds.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        let put = |name: &OsStr| {
            rustix::fs::symlinkat(target, dir, name)?;
            Ok(rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
        };
        self.put(dir, name, put).map_err(Error::io("link", dir.join(name)))
    }

    fn try_file(&self, source: &Path, entry: &Entry, dir: &Dir, name: &OsStr) -> io::Result<()> {
        let done = match self.mode {
            LinkMode::Auto => self.reflink(source, entry, dir, name)? || self.hard_link(source, dir, name)?,
            LinkMode::Reflink => self.reflink(source, entry, dir, name)?,
            LinkMode::Hardlink => self.hard_link(source, dir, name)?,
            LinkMode::Copy => false,
        };
        if done { Ok(()) } else { self.copy(source, entry, dir, name) }
    }

    /// Whether a reflink did it.
    fn reflink(&self, source: &Path, entry: &Entry, dir: &Dir, name: &OsStr) -> io::Result<bool> {
        let devices = (entry.stat.device, rustix::fs::fstat(dir)?.st_dev);
        if self.reflinks().get(&devices) == Some(&false) {
            return Ok(false);
        }
        let from = File::open(source)?;
        let share = |to: &mut File| Ok(rustix::fs::ioctl_ficlone(to, &from)?);
        let works = works(self.whole(entry, dir, name, share))?;
        self.reflinks().insert(devices, works);
        Ok(works)
    }

    /// Whether a hard link did it.
    fn hard_link(&self, source: &Path, dir: &Dir, name: &OsStr) -> io::Result<bool> {
        works(self.put(dir, name, |name| Ok(rustix::fs::linkat(CWD, source, dir, name, AtFlags::empty())?)))
    }

    fn copy(&self, source: &Path, entry: &Entry, dir: &Dir, name: &OsStr) -> io::Result<()> {
        let mut from = File::open(source)?;
        self.whole(entry, dir, name, |to| io::copy(&mut from, to).map(drop))
    }

    /// Makes a file, fills it, dresses it and only then gives it its name.
    fn whole(
        &self,
        entry: &Entry,
        dir: &Dir,
        name: &OsStr,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let temporary = self.drafts.next();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let _nobody_starts = busy::writing_program(entry.mode);
        let mut file = File::from(rustix::fs::openat(dir, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
        fill(&mut file)
            .and_then(|()| dress(&file, entry))
            .and_then(|()| Ok(rustix::fs::renameat(dir, &temporary, dir, name)?))
            .inspect_err(|_| {
                let _ = rustix::fs::unlinkat(dir, &temporary, AtFlags::empty());
            })
    }

    fn reflinks(&self) -> MutexGuard<'_, HashMap<(u64, u64), bool>> {
        self.reflinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes something under `name`, by way of a temporary name where `name` is taken.
    fn put(&self, dir: &Dir, name: &OsStr, make: impl Fn(&OsStr) -> io::Result<()>) -> io::Result<()> {
        match make(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result,
        }
        let temporary = self.drafts.next();
        make(&temporary)?;
        let renamed = rustix::fs::renameat(dir, &temporary, dir, name);
        // Renaming one name of a file over another of the same file does nothing, so the temporary one may remain.
        match rustix::fs::unlinkat(dir, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(renamed?),
            Err(error) => Err(error.into()),
        }
    }
}

/// Gives a file its entry's modification time and, last, its mode.
fn dress(file: &File, entry: &Entry) -> io::Result<()> {
    let (seconds, nanoseconds) = entry.stat.mtime;
    let ago = Duration::from_secs(seconds.unsigned_abs());
    let time =
        if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(ago) } else { SystemTime::UNIX_EPOCH.checked_add(ago) };
    let time = time.map(|time| time + Duration::from_nanos(nanoseconds.into()));
    file.set_times(FileTimes::new().set_modified(time.unwrap_or(SystemTime::UNIX_EPOCH)))?;
    file.set_permissions(Permissions::from_mode(entry.mode))
}

/// Tells "not between these two places" from success and from true failures.
fn works(result: io::Result<()>) -> io::Result<bool> {
    const IMPOSSIBLE: [Errno; 7] =
        [Errno::XDEV, Errno::MLINK, Errno::PERM, Errno::OPNOTSUPP, Errno::NOTTY, Errno::INVAL, Errno::NOSYS];
    match result {
        Ok(()) => Ok(true),
        Err(error) if Errno::from_io_error(&error).is_some_and(|error| IMPOSSIBLE.contains(&error)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::PathBuf;

    use super::*;
    use crate::host::beneath::Root;
    use crate::host::listing::Listing;

    struct Story {
        _room: tempfile::TempDir,
        tree: PathBuf,
        dest: PathBuf,
        entry: Entry,
    }

    fn story() -> Story {
        let room = tempfile::tempdir().unwrap();
        let (tree, dest) = (room.path().join("tree"), room.path().join("dest"));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&dest).unwrap();
        fs::write(tree.join("tool"), "new").unwrap();
        let dated = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
        File::options().write(true).open(tree.join("tool")).unwrap().set_times(dated).unwrap();
        fs::set_permissions(tree.join("tool"), Permissions::from_mode(0o4555)).unwrap();
        let entry = Listing::of(&tree).unwrap().entries.remove(0);
        Story { _room: room, tree, dest, entry }
    }

    fn cloner(mode: LinkMode) -> Cloner {
        Cloner::new(mode, Drafts::of(Path::new("/w")))
    }

    impl Story {
        fn put(&self, cloner: &Cloner) {
            let dir = Root::open(&self.dest).unwrap().dir(Path::new("")).unwrap();
            cloner.file(&self.tree.join("tool"), &self.entry, &dir, OsStr::new("tool")).unwrap();
        }

        fn inode(&self, dir: &Path) -> u64 {
            fs::metadata(dir.join("tool")).unwrap().ino()
        }
    }

    #[test]
    fn every_way_gives_the_same_file_and_leaves_nothing_else() {
        for mode in [LinkMode::Auto, LinkMode::Reflink, LinkMode::Hardlink, LinkMode::Copy] {
            let story = story();
            let cloner = cloner(mode);
            story.put(&cloner);
            story.put(&cloner);
            let placed = fs::metadata(story.dest.join("tool")).unwrap();
            assert_eq!((placed.mode() & 0o7777, placed.mtime(), placed.mtime_nsec()), (0o4555, 1, 500_000_000));
            assert_eq!(fs::read(story.dest.join("tool")).unwrap(), b"new");
            assert_eq!(fs::read_dir(&story.dest).unwrap().count(), 1, "{mode:?}");
        }
    }

    #[test]
    fn a_hard_link_is_the_same_file_and_a_copy_is_not() {
        let story = story();
        story.put(&cloner(LinkMode::Hardlink));
        assert_eq!(story.inode(&story.dest), story.inode(&story.tree));
        story.put(&cloner(LinkMode::Copy));
        assert_ne!(story.inode(&story.dest), story.inode(&story.tree));
    }

    #[test]
    fn whoever_has_the_old_file_open_keeps_it() {
        for mode in [LinkMode::Hardlink, LinkMode::Copy] {
            let story = story();
            fs::write(story.dest.join("tool"), "old").unwrap();
            let open = File::open(story.dest.join("tool")).unwrap();
            story.put(&cloner(mode));
            assert_eq!(io::read_to_string(open).unwrap(), "old");
            assert_eq!(fs::read(story.dest.join("tool")).unwrap(), b"new");
        }
    }

    #[test]
    fn what_a_symlink_pointed_to_is_left_alone() {
        let story = story();
        let victim = story.tree.join("victim");
        fs::write(&victim, "old").unwrap();
        symlink(&victim, story.dest.join("tool")).unwrap();
        story.put(&cloner(LinkMode::Copy));
        assert_eq!(fs::read(&victim).unwrap(), b"old");
        assert!(!story.dest.join("tool").is_symlink());
    }

    #[test]
    fn a_way_that_failed_between_two_devices_is_remembered() {
        let story = story();
        let cloner = cloner(LinkMode::Auto);
        let device = story.entry.stat.device;
        cloner.reflinks().insert((device, device), false);
        story.put(&cloner);
        assert_eq!(story.inode(&story.dest), story.inode(&story.tree));
    }

    #[test]
    fn only_impossibility_leads_to_the_next_way() {
        assert!(!works(Err(Errno::XDEV.into())).unwrap());
        assert!(!works(Err(Errno::MLINK.into())).unwrap());
        assert!(works(Err(Errno::NOSPC.into())).is_err());
        assert!(works(Ok(())).unwrap());
    }
}
