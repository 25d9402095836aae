//! Looks at what is where something was installed, and tells whether it is still that.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, open, statat};

use super::direct::GONE;
use super::territory::{Side, Territory};
use super::{Holding, Print};
use crate::host::listing::bytes;

/// Looks from the root, or for many paths from the install directory: the way to each is shorter then.
pub(super) struct Sight<'i> {
    territory: &'i Territory,
    install_dir: Option<OwnedFd>,
    /// What was found of paths that direct tasks are said to have made: many of them, of the same.
    seen: Mutex<HashMap<Box<[u8]>, Option<Print>>>,
}

impl<'i> Sight<'i> {
    pub(super) fn from_root(territory: &'i Territory) -> Self {
        Self { territory, install_dir: None, seen: Mutex::default() }
    }

    /// For looking at once: an install directory that is put in the place of this one later is not seen.
    pub(super) fn from_install_dir(territory: &'i Territory) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let install_dir = open(territory.install_dir(), flags, Mode::empty()).ok();
        Self { territory, install_dir, seen: Mutex::default() }
    }

    /// What is different from what a record says of a path, which begins without the slash.
    pub(super) fn difference(&self, path: &Path, holding: Holding) -> Option<&'static str> {
        match holding {
            Holding::Lost => None,
            Holding::Directory { .. } => match self.is_directory(path) {
                Some(true) => None,
                Some(false) => Some("is no directory any more"),
                None => Some("is gone"),
            },
            Holding::Leaf(print) => changed(self.print(path), print),
            Holding::Seen(GONE) => self.print_once(path).map(|_| "is there again"),
            Holding::Seen(print) => changed(self.print_once(path), print),
        }
    }

    fn print(&self, path: &Path) -> Option<Print> {
        self.look(path).map(|found| Print::of_stat(&found))
    }

    /// The print of what is at a path, for which others will ask too.
    fn print_once(&self, path: &Path) -> Option<Print> {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = seen().get(bytes(path)) {
            return *found;
        }
        let found = self.print(path);
        seen().insert(bytes(path).into(), found);
        found
    }

    fn is_directory(&self, path: &Path) -> Option<bool> {
        match self.territory.side(path) {
            Side::Outside => self.territory.look_at_directory(path).map(|found| found.is_dir()),
            _ => self.look(path).map(|found| FileType::from_raw_mode(found.st_mode).is_dir()),
        }
    }

    /// What is at a path itself; `None` for nothing, and for what cannot be looked at.
    fn look(&self, path: &Path) -> Option<Stat> {
        match self.install_dir.as_ref().zip(self.below_install_dir(path)) {
            Some((dir, below)) => statat(dir, below, AtFlags::SYMLINK_NOFOLLOW).ok(),
            None => statat(CWD, Path::new("/").join(path), AtFlags::SYMLINK_NOFOLLOW).ok(),
        }
    }

    /// The rest of a path that begins with the install directory's, told by bytes: this is asked for every path.
    fn below_install_dir<'p>(&self, path: &'p Path) -> Option<&'p [u8]> {
        let below = bytes(path).strip_prefix(bytes(self.territory.prefix()))?.strip_prefix(b"/")?;
        below.first().is_some_and(|first| *first != b'/').then_some(below)
    }
}

fn changed(found: Option<Print>, recorded: Print) -> Option<&'static str> {
    match found {
        None => Some("is gone"),
        Some(found) if found != recorded => Some("was changed"),
        Some(_) => None,
    }
}
