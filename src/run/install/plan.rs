//! What an install would do, path by path, decided before anything is done.
//!
//! Looks at the file system and at the register, and refuses here whatever has to be refused.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::names::Names;
use super::register::{Holder, Register, shared_mode};
use super::territory::Side;
use super::{Counts, Installer};
use crate::cache::trees::Tree;
use crate::error::{Error, Result};
use crate::host::copy::names;
use crate::host::fs::{probe, same_content};
use crate::host::listing::{Entry, Kind};
use crate::run::state::{Holding, Installed, Print};

#[derive(Debug, Default)]
pub(super) struct Plan<'t> {
    pub(super) steps: Vec<Step<'t>>,
    /// The paths that other tasks lose to this one.
    pub(super) losers: BTreeMap<String, HashSet<PathBuf>>,
    /// The paths at which other tasks have the same as this one, which is put there anew.
    pub(super) sharers: BTreeMap<String, HashSet<PathBuf>>,
    /// Tasks that get another tag in this run, and whose old directories are where this one has a file or symlink.
    pub(super) blockers: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Step<'t> {
    pub(super) entry: &'t Entry,
    pub(super) act: Act,
}

/// What is to be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// The file or symlink is there already.
    Keep(Print),
    /// Put the file or symlink there. With `clear`, a directory with nothing but earlier files of this task gives way.
    Write { clear: bool },
    /// The file is another task's, which overrides this one.
    Lose,
    /// The directory is there already. With a `mode`, it gets that.
    Share { created: bool, mode: Option<u32> },
    /// Make the directory. With `replace`, a file or symlink gives way.
    Make { replace: bool, mode: u32 },
}

impl<'t> Plan<'t> {
    pub(super) fn make(
        installer: &Installer<'_>,
        register: &Register,
        task: &str,
        old: &Installed,
        tree: &'t Tree,
        overrides: &[String],
    ) -> Result<Plan<'t>> {
        installer.territory.check(task, tree.entries())?;
        let held = old.owned.iter().map(|owned| (&*owned.path, owned.holding)).collect();
        let mut plan = Plan::default();
        let mut planner = Planner {
            installer,
            register,
            task,
            held,
            tree,
            overrides,
            made: HashSet::new(),
            names: Names::default(),
            losers: &mut plan.losers,
            sharers: &mut plan.sharers,
            blockers: &mut plan.blockers,
        };
        for entry in tree.entries() {
            if installer.territory.side(&entry.path) != Side::Above {
                plan.steps.push(Step { entry, act: planner.decide(entry)? });
            }
        }
        Ok(plan)
    }

    /// All that may be there between now and the end: what was, and what is to be.
    pub(super) fn intent<'i>(&'i self, old: &'i Installed) -> Vec<(&'i Path, Holding)> {
        let new: HashSet<&Path> = match old.owned.is_empty() {
            true => HashSet::new(),
            false => self.steps.iter().map(|step| &*step.entry.path).collect(),
        };
        let gone = old.owned.iter().filter(|owned| !new.contains(&*owned.path));
        let gone = gone.map(|owned| (&*owned.path, owned.holding));
        let steps = self.steps.iter().map(|step| (&*step.entry.path, step.intended()));
        let mut intent: Vec<_> = gone.chain(steps).collect();
        intent.sort_by_key(|(path, _)| path.as_os_str());
        intent
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            match step.act {
                Act::Keep(_) => counts.kept += 1,
                Act::Write { .. } => counts.written += 1,
                Act::Lose => counts.lost += 1,
                Act::Share { .. } | Act::Make { .. } => {}
            }
        }
        counts
    }
}

impl Step<'_> {
    fn intended(&self) -> Holding {
        match self.act {
            Act::Keep(print) => Holding::Leaf(print),
            Act::Write { .. } => Holding::Leaf(print_of(self.entry)),
            Act::Lose => Holding::Lost,
            Act::Share { created, .. } => Holding::Directory { created, mode: self.entry.mode },
            Act::Make { .. } => Holding::Directory { created: true, mode: self.entry.mode },
        }
    }
}

struct Planner<'p, 't> {
    installer: &'p Installer<'p>,
    register: &'p Register,
    task: &'p str,
    /// What the task holds so far.
    held: HashMap<&'p Path, Holding>,
    tree: &'t Tree,
    overrides: &'p [String],
    /// Directories to come: nothing that is below them now will be.
    made: HashSet<&'t Path>,
    names: Names,
    losers: &'p mut BTreeMap<String, HashSet<PathBuf>>,
    sharers: &'p mut BTreeMap<String, HashSet<PathBuf>>,
    blockers: &'p mut BTreeSet<String>,
}

impl<'t> Planner<'_, 't> {
    fn decide(&mut self, entry: &'t Entry) -> Result<Act> {
        let in_new_directory = entry.path.parent().is_some_and(|parent| self.made.contains(parent));
        match entry.kind {
            Kind::Directory if in_new_directory => Ok(self.will_make(entry, false)),
            Kind::Directory => self.directory(entry),
            _ if in_new_directory => self.leaf(entry, None),
            _ => self.leaf(entry, probe(&Path::new("/").join(&entry.path))?),
        }
    }

    fn directory(&mut self, entry: &'t Entry) -> Result<Act> {
        let Some(found) = self.installer.territory.look_at_directory(&entry.path) else {
            return Ok(self.will_make(entry, false));
        };
        if !found.is_dir() {
            if let Some(other) = self.settle(entry, Some(&found))? {
                return Err(self.conflict(&entry.path, &other));
            }
            self.refuse_unowned(&entry.path)?;
            return Ok(self.will_make(entry, true));
        }
        let others = self.others(&entry.path);
        let created = self.held.get(&*entry.path).is_some_and(Holding::is_created)
            || others.iter().any(|holder| holder.holding.is_created());
        let mode = entry.mode | shared_mode(&others);
        Ok(Act::Share { created, mode: (created && found.mode() & 0o7777 != mode).then_some(mode) })
    }

    fn will_make(&mut self, entry: &'t Entry, replace: bool) -> Act {
        self.made.insert(&entry.path);
        Act::Make { replace, mode: entry.mode | shared_mode(&self.others(&entry.path)) }
    }

    fn leaf(&mut self, entry: &Entry, found: Option<Metadata>) -> Result<Act> {
        if let Some(found) = &found
            && self.is_same(entry, found)?
        {
            return Ok(self.keep(entry, found));
        }
        self.names.is_new(entry);
        if self.settle(entry, found.as_ref())?.is_some() {
            return Ok(Act::Lose);
        }
        match found {
            None => Ok(Act::Write { clear: false }),
            Some(found) if found.is_dir() => self.may_clear(&entry.path).map(|()| Act::Write { clear: true }),
            Some(_) => self.refuse_unowned(&entry.path).map(|()| Act::Write { clear: false }),
        }
    }

    /// Keeps what is the same, unless it would not look as it does in a product that is new.
    fn keep(&mut self, entry: &Entry, found: &Metadata) -> Act {
        let print = Print::of(found);
        if self.names.agree(entry, found) && print.mtime == entry.stat.mtime {
            return Act::Keep(print);
        }
        self.names.is_new(entry);
        for Holder { task, holding } in self.register.others(self.task, &entry.path) {
            if holding == Holding::Leaf(print) {
                self.sharers.entry(task.to_owned()).or_default().insert(entry.path.clone());
            }
        }
        Act::Write { clear: false }
    }

    /// Settles with the other tasks that have something else at a path; the task to yield to, if there is one.
    fn settle(&mut self, entry: &Entry, found: Option<&Metadata>) -> Result<Option<String>> {
        for Holder { task, holding } in self.register.others(self.task, &entry.path) {
            let is_directory = matches!(holding, Holding::Directory { .. });
            if is_directory && entry.kind != Kind::Directory && self.yields_to(task) {
                return Ok(Some(task.to_owned()));
            }
            let Holding::Leaf(print) = holding else { continue };
            // Where a file was changed or removed since, it says nothing of what the other task has; its print does.
            let untouched = found.is_some_and(|found| Print::of(found) == print);
            if !untouched && agrees(entry, &print) {
                continue;
            }
            if self.overrides.iter().any(|name| name == task) || self.is_outgoing(task) {
                self.losers.entry(task.to_owned()).or_default().insert(entry.path.clone());
            } else if self.register.overrides(task, self.task) {
                return Ok(Some(task.to_owned()));
            } else {
                return Err(self.conflict(&entry.path, task));
            }
        }
        Ok(None)
    }

    /// Whether another task has the right to what is at a path, and keeps it.
    fn yields_to(&self, task: &str) -> bool {
        self.register.overrides(task, self.task) && !self.is_outgoing(task)
    }

    /// Refuses to replace a file or symlink that no task has put there, unless that is allowed.
    fn refuse_unowned(&self, path: &Path) -> Result<()> {
        let is_leaf = |holding: &Holding| matches!(holding, Holding::Leaf(_) | Holding::Seen(_));
        let owned =
            self.held.get(path).is_some_and(is_leaf) || self.others(path).iter().any(|other| is_leaf(&other.holding));
        match owned || self.installer.options.replace_unowned {
            true => Ok(()),
            false => Err(self.unowned(path)),
        }
    }

    /// Refuses to remove a directory unless this task has put it and all below it there, alone or with tasks whose old
    /// files go in this run anyway.
    fn may_clear(&mut self, path: &Path) -> Result<()> {
        let place = Path::new("/").join(path);
        let is_dir = probe(&place)?.is_some_and(|found| found.is_dir());
        let mut others = self.register.others(self.task, path);
        others.retain(|other| other.holding != Holding::Lost);
        if let Some(other) = others.iter().find(|other| !self.is_outgoing(other.task)) {
            return Err(self.conflict(path, other.task));
        }
        if !others.is_empty() {
            self.blockers.extend(others.iter().map(|other| other.task.to_owned()));
            return Ok(());
        }
        match self.held.get(path) {
            Some(Holding::Directory { .. }) if is_dir => {
                names(&place)?.iter().try_for_each(|name| self.may_clear(&path.join(name)))
            }
            Some(Holding::Leaf(_)) if !is_dir => Ok(()),
            _ => Err(self.unowned(path)),
        }
    }

    /// Whether what is at the entry's place is what the tree has.
    fn is_same(&self, entry: &Entry, found: &Metadata) -> Result<bool> {
        let place = Path::new("/").join(&entry.path);
        match &entry.kind {
            Kind::Symlink(target) if found.is_symlink() => {
                Ok(fs::read_link(&place).map_err(Error::io("read the symlink", &place))? == *target)
            }
            Kind::File if found.is_file() => {
                let alike = found.len() == entry.stat.size && found.mode() & 0o7777 == entry.mode;
                let one = (found.dev(), found.ino()) == (entry.stat.device, entry.stat.inode);
                Ok(alike && (one || same_content(&self.tree.place(&entry.path)?, &place)?))
            }
            _ => Ok(false),
        }
    }

    fn others(&self, path: &Path) -> Vec<Holder<'_>> {
        self.register.others(self.task, path)
    }

    /// Whether this run installs a task anew under another tag.
    fn is_outgoing(&self, task: &str) -> bool {
        let planned = self.installer.planned.get(task).copied();
        planned.is_some() && planned != self.register.tag(task)
    }

    fn unowned(&self, path: &Path) -> Error {
        Error::Unowned { path: Path::new("/").join(path), task: self.task.to_owned() }
    }

    fn conflict(&self, path: &Path, other: &str) -> Error {
        Error::Conflict { path: Path::new("/").join(path), first: other.to_owned(), second: self.task.to_owned() }
    }
}

/// The print that an entry will have, as far as is known before.
fn print_of(entry: &Entry) -> Print {
    let kind = match entry.kind {
        Kind::Symlink(_) => 0o120_000,
        _ => 0o100_000,
    };
    Print { mode: kind | entry.mode, size: entry.stat.size, mtime: entry.stat.mtime, inode: 0 }
}

/// Whether a task that left such a print may well have the same thing there.
fn agrees(entry: &Entry, print: &Print) -> bool {
    let wanted = print_of(entry);
    entry.kind != Kind::Directory && (wanted.mode, wanted.size) == (print.mode, print.size)
}
