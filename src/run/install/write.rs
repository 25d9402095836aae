//! Carries out what an install has decided. Nothing here refuses anything; nothing passes through a symlink below the
//! install directory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::plan::{Act, Plan, Step};
use super::territory::{Side, Territory};
use crate::cache::trees::Tree;
use crate::error::{Error, Result};
use crate::host::beneath::{Dir, Root};
use crate::host::clone::Cloner;
use crate::host::copy::names;
use crate::host::drafts::Drafts;
use crate::host::fs::{create_dirs, probe};
use crate::host::listing::{Entry, Kind};
use crate::host::many;
use crate::run::state::{Holding, Installed, Owned, Print};

/// The places where files are put, open.
#[derive(Debug)]
pub(super) struct Site<'a> {
    territory: &'a Territory,
    /// None before the install directory exists.
    inside: Option<Root>,
    /// Opened when something has to be done there: few tasks install anything outside.
    outside: OnceLock<Root>,
}

impl<'a> Site<'a> {
    pub(super) fn open(territory: &'a Territory) -> Result<Site<'a>> {
        Ok(Site { territory, inside: Root::present(territory.install_dir())?, outside: OnceLock::new() })
    }

    /// Opens the places, and makes the install directory if it is not there.
    pub(super) fn make(territory: &'a Territory) -> Result<Site<'a>> {
        let site = Site::open(territory)?;
        if site.inside.is_some() {
            return Ok(site);
        }
        create_dirs(territory.install_dir())?;
        Site::open(territory)
    }

    /// Removes files and symlinks, then the directories made for them as far as they are empty, deepest first.
    /// Returns how many files and symlinks there were.
    pub(super) fn remove(&self, owned: &[Owned]) -> Result<usize> {
        let mut removed = 0;
        let mut open = OpenDir::default();
        for Owned { path, .. } in owned.iter().filter(|owned| matches!(owned.holding, Holding::Leaf(_))) {
            if let Some((dir, name)) = open.find(self, path)? {
                removed += usize::from(dir.unlink(name)?);
            }
        }
        for Owned { path, .. } in owned.iter().rev().filter(|owned| owned.holding.is_created()) {
            if let Some((dir, name)) = open.find(self, path)? {
                dir.rmdir(name)?;
            }
        }
        Ok(removed)
    }

    /// Gives directories that stay, as far as they are there, the modes that those who still hold them have for them.
    pub(super) fn set_modes(&self, modes: &[(PathBuf, u32)]) -> Result<()> {
        for (path, mode) in modes.iter().rev() {
            if let Some(mut dir) = self.find(path)? {
                dir.set_mode(*mode)?;
            }
        }
        Ok(())
    }

    /// Removes what an interrupted installation of these paths has left beside them.
    pub(super) fn sweep(&self, owned: &[Owned], drafts: &Drafts) -> Result<()> {
        let parents: BTreeSet<&Path> = owned.iter().filter_map(|owned| owned.path.parent()).collect();
        for parent in parents {
            let Some(dir) = self.find(parent)? else { continue };
            let names = names(&Path::new("/").join(parent))?;
            names.iter().filter(|name| drafts.has(name)).try_for_each(|name| dir.unlink(name).map(drop))?;
        }
        Ok(())
    }

    fn dir(&self, path: &Path) -> Result<Dir> {
        let gone = || Error::io("open the directory", Path::new("/").join(path))(ErrorKind::NotFound.into());
        let (root, relative) = self.place(path)?;
        root.ok_or_else(gone)?.dir(relative)
    }

    fn find(&self, path: &Path) -> Result<Option<Dir>> {
        match self.place(path)? {
            (Some(root), relative) => root.find(relative),
            (None, _) => Ok(None),
        }
    }

    fn place<'p>(&self, path: &'p Path) -> Result<(Option<&Root>, &'p Path)> {
        Ok(match self.territory.side(path) {
            Side::Inside(below) => (self.inside.as_ref(), below),
            Side::Above if path == self.territory.prefix() => (self.inside.as_ref(), Path::new("")),
            Side::Above | Side::Outside => (Some(self.outside()?), path),
        })
    }

    fn outside(&self) -> Result<&Root> {
        if let Some(root) = self.outside.get() {
            return Ok(root);
        }
        let root = Root::trusting(Path::new("/"))?;
        Ok(self.outside.get_or_init(|| root))
    }
}

/// The directory opened last: neighbours in a listing mostly share theirs.
#[derive(Default)]
struct OpenDir {
    last: Option<(PathBuf, Option<Dir>)>,
}

impl OpenDir {
    /// The directory that holds `path`, which must exist, and the name in it.
    fn get<'p>(&mut self, site: &Site<'_>, path: &'p Path) -> Result<(&Dir, &'p OsStr)> {
        let (parent, name) = split(path);
        if !matches!(&self.last, Some((last, Some(_))) if last == parent) {
            self.last = None;
            self.last = Some((parent.to_path_buf(), Some(site.dir(parent)?)));
        }
        let gone = || Error::io("open", path)(ErrorKind::NotFound.into());
        self.last.as_ref().and_then(|(_, dir)| dir.as_ref()).map(|dir| (dir, name)).ok_or_else(gone)
    }

    /// The same, if the directory is there.
    fn find<'p>(&mut self, site: &Site<'_>, path: &'p Path) -> Result<Option<(&Dir, &'p OsStr)>> {
        let (parent, name) = split(path);
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            self.last = None;
            self.last = Some((parent.to_path_buf(), site.find(parent)?));
        }
        Ok(self.last.as_ref().and_then(|(_, dir)| dir.as_ref()).map(|dir| (dir, name)))
    }
}

impl Plan<'_> {
    /// Makes directories, puts files and symlinks in place, and returns what the task then owns, removals aside, in the
    /// order of the steps.
    pub(super) fn carry_out(
        &self,
        site: &Site<'_>,
        cloner: &Cloner,
        old: &Installed,
        tree: &Tree,
    ) -> Result<Vec<Owned>> {
        self.make_directories(site)?;
        let hands = || Hands { site, cloner, old, tree, open: OpenDir::default(), linked: HashMap::new() };
        let (plain, others): (Vec<_>, Vec<_>) = self.steps.iter().enumerate().partition(|(_, step)| step.is_plain());
        let mut done = hands().take_all(&others)?;
        // Each directory is one worker's: a read-only one is open for changes as long as it has it.
        let mut directories: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (number, step) in &plain {
            directories.entry(step.entry.path.parent()).or_default().push((*number, *step));
        }
        let directories: Vec<_> = directories.into_values().collect();
        for taken in many::map_uneven(plain.len(), &directories, |steps| hands().take_all(steps)) {
            done.extend(taken?);
        }
        self.set_directory_modes(site)?;
        drop((others, directories));
        done.sort_unstable_by_key(|(number, _)| *number);
        let owned = |((_, holding), step): ((_, Holding), &Step<'_>)| Owned { path: step.entry.path.clone(), holding };
        Ok(done.into_iter().zip(&self.steps).map(owned).collect())
    }

    fn make_directories(&self, site: &Site<'_>) -> Result<()> {
        let mut open = OpenDir::default();
        for Step { entry, act } in &self.steps {
            if let Act::Make { replace, mode } = *act {
                let (dir, name) = open.get(site, &entry.path)?;
                if replace {
                    dir.unlink(name)?;
                }
                dir.mkdir(name, mode)?;
            }
        }
        Ok(())
    }

    /// Last and from below, since a mode may forbid what had to be done before.
    fn set_directory_modes(&self, site: &Site<'_>) -> Result<()> {
        for Step { entry, act } in self.steps.iter().rev() {
            if let Act::Make { mode, .. } | Act::Share { mode: Some(mode), .. } = *act {
                site.dir(&entry.path)?.set_mode(mode)?;
            }
        }
        Ok(())
    }
}

impl Step<'_> {
    /// Whether it puts a file of one name where no directory has to give way, so that it has nothing to do with others.
    fn is_plain(&self) -> bool {
        self.act == (Act::Write { clear: false }) && self.entry.kind == Kind::File && self.entry.stat.links <= 1
    }
}

/// Puts files and symlinks of one tree in place.
struct Hands<'a> {
    site: &'a Site<'a>,
    cloner: &'a Cloner,
    old: &'a Installed,
    tree: &'a Tree,
    open: OpenDir,
    /// Where the first name of each hard-linked file went, by inode in the tree.
    linked: HashMap<u64, PathBuf>,
}

impl Hands<'_> {
    /// Takes numbered steps, and says how the task then holds the path of each.
    fn take_all(&mut self, steps: &[(usize, &Step<'_>)]) -> Result<Vec<(usize, Holding)>> {
        steps.iter().map(|(number, step)| Ok((*number, self.take(step)?))).collect()
    }

    fn take(&mut self, step: &Step<'_>) -> Result<Holding> {
        Ok(match step.act {
            Act::Keep(print) => {
                self.note_name(step.entry)?;
                Holding::Leaf(print)
            }
            Act::Lose => Holding::Lost,
            Act::Share { created, .. } => Holding::Directory { created, mode: step.entry.mode },
            Act::Make { .. } => Holding::Directory { created: true, mode: step.entry.mode },
            Act::Write { clear } => Holding::Leaf(self.write(step.entry, clear)?),
        })
    }

    /// Notes where a file is that has further names.
    fn note_name(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind == Kind::File && entry.stat.links > 1 {
            let (dir, name) = self.open.get(self.site, &entry.path)?;
            self.linked.entry(entry.stat.inode).or_insert(dir.join(name));
        }
        Ok(())
    }

    fn write(&mut self, entry: &Entry, clear: bool) -> Result<Print> {
        if clear {
            self.clear(&entry.path)?;
        }
        let (dir, name) = self.open.get(self.site, &entry.path)?;
        let source = self.tree.place(&entry.path)?;
        let first = self.linked.get(&entry.stat.inode).filter(|_| entry.kind == Kind::File);
        match (&entry.kind, first) {
            (Kind::Symlink(target), _) => self.cloner.symlink(target, entry, dir, name)?,
            (_, Some(first)) if self.cloner.name_again(first, dir, name).is_ok() => {}
            _ => self.cloner.file(&source, entry, dir, name)?,
        }
        let place = dir.join(name);
        let gone = || Error::io("install", &place)(ErrorKind::NotFound.into());
        let print = Print::of(&probe(&place)?.ok_or_else(gone)?);
        if entry.stat.links > 1 {
            self.linked.entry(entry.stat.inode).or_insert(place);
        }
        Ok(print)
    }

    /// Removes a directory of earlier files of this task, and all below it.
    fn clear(&mut self, path: &Path) -> Result<()> {
        let below = |owned: &&Owned| owned.path.starts_with(path);
        let mut owned: Vec<_> = self.old.owned.iter().filter(below).cloned().collect();
        for owned in &mut owned {
            if let Holding::Directory { created, .. } = &mut owned.holding {
                *created = true;
            }
        }
        self.open = OpenDir::default();
        self.site.remove(&owned).map(drop)
    }
}

fn split(path: &Path) -> (&Path, &OsStr) {
    (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default())
}
