//! The directories of an archive: made when something comes that lies in them, dressed when everything is there.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode};

use super::dirs::Dirs;
use super::members::{Kind, Member};
use super::{Extractor, Profile, files, open};
use crate::error::{Error, Result, errno};
use crate::host::listing::{self, Entry};

/// Of directories that no member names.
const IMPLICIT_MODE: u32 = 0o755;

/// What a directory gets when everything is in it.
pub(super) struct Directory {
    mode: u32,
    mtime: (i64, u32),
    /// Whether a member names it.
    named: bool,
}

impl<R: Read> Extractor<'_, R> {
    /// Sees to it that a path has a place, where only a directory that leads to the top needs none.
    pub(super) fn reach(&mut self, member: &Member, path: &Path) -> Result<()> {
        let leads = || matches!(member.kind, Kind::Directory) && self.layout.leads(path);
        if self.layout.inner(path).is_some() || leads() {
            return Ok(());
        }
        self.settle()?;
        let mut leading: Vec<_> = self.directories.keys().map(Path::new).collect();
        leading.retain(|path| self.layout.leads(path));
        leading.sort_unstable();
        self.layout.widen(&leading)?;
        let root = open(&self.layout)?;
        (self.dirs, self.targets) = (Dirs::below(root.clone()), Dirs::below(root));
        Ok(())
    }

    /// Makes the directories above `path` that no member named before.
    pub(super) fn add_parents(&mut self, member: &Member, path: &Path) -> Result<()> {
        let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !self.directories.contains_key(dir.as_os_str());
        let missing: Vec<_> = path.ancestors().skip(1).take_while(is_missing).collect();
        if !missing.is_empty() {
            self.settle()?;
        }
        for dir in missing.into_iter().rev() {
            if let Some((parent, name)) = self.halves(dir) {
                let parent = self.dirs.enter(parent);
                let made = parent.and_then(|parent| rustix::fs::mkdirat(parent, name, fillable(IMPLICIT_MODE)));
                made.map_err(|error| self.failed(member, "create the directory of", dir, error))?;
            }
            let directory = Directory { mode: IMPLICIT_MODE, mtime: member.mtime, named: false };
            self.directories.insert(dir.into(), directory);
        }
        Ok(())
    }

    pub(super) fn add_directory(&mut self, member: &Member, path: &Path) -> Result<()> {
        let directory = Directory { mode: self.mode(member, 0o700), mtime: member.mtime, named: true };
        if let Some(known) = self.directories.get_mut(path.as_os_str()) {
            let again = known.named;
            *known = directory;
            return if again { self.allow_again(member) } else { Ok(()) };
        }
        if self.layout.inner(path).is_some() {
            self.create(member, path, |parent, name| rustix::fs::mkdirat(parent, name, fillable(directory.mode)))?;
        }
        self.directories.insert(path.into(), directory);
        Ok(())
    }

    fn allow_again(&self, member: &Member) -> Result<()> {
        match self.options.profile {
            Profile::Artifact => Err(self.refuse(member, "comes twice")),
            Profile::Source => Ok(()),
        }
    }

    /// Gives directories their modes and times, the deepest first, now that nothing is created in them any more.
    pub(super) fn seal_directories(&mut self) -> Result<()> {
        let mut directories: Vec<_> = std::mem::take(&mut self.directories).into_iter().collect();
        directories.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        for (path, directory) in directories {
            let path = PathBuf::from(path);
            match self.halves(&path) {
                Some(halves) => {
                    let found = self.seal_directory(&path, halves, &directory)?;
                    self.note(&path, listing::Kind::Directory, &found);
                }
                None => self.inventory.add(Entry::nominal(path, directory.mode, directory.mtime)),
            }
        }
        Ok(())
    }

    fn seal_directory(&mut self, path: &Path, halves: (&Path, &OsStr), directory: &Directory) -> Result<Metadata> {
        let ((parent, name), times) = (halves, files::times(directory.mtime));
        let dated = self.dirs.enter(parent);
        let dated = dated.and_then(|dir| rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW));
        dated.map_err(|error| Error::io("finish", self.place(path))(errno(error)))?;
        let found = self.examine(path)?;
        if found.mode() & 0o7777 == directory.mode {
            return Ok(found);
        }
        let mode = Mode::from_raw_mode(directory.mode);
        let changed = self.dirs.enter(&parent.join(name)).and_then(|dir| rustix::fs::fchmod(dir, mode));
        changed.map_err(|error| Error::io("finish", self.place(path))(errno(error)))?;
        self.examine(path)
    }
}

/// The mode of a directory until it is sealed: its own where that is harmless, so that it need not be changed.
fn fillable(mode: u32) -> Mode {
    Mode::from_raw_mode((mode | 0o700) & 0o755)
}
