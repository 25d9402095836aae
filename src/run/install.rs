//! Puts trees where the product lives, and takes away what no longer belongs there.
//!
//! Every task has a record of what it installed, so that a repeat run looks at files and does nothing, an upgrade
//! removes what the new tag lacks, and two tasks do not overwrite each other's files unseen. An install is checked
//! as a whole before its first change: one that is refused changes nothing. Where trees come from is not known here.

mod direct;
mod names;
mod plan;
mod register;
mod sight;
mod territory;
mod write;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use direct::Span;
use globset::GlobSet;
use hashbrown::HashMap;
use plan::Plan;
use register::Register;
use sight::Sight;
use territory::Territory;
use write::Site;

use super::glance::Seen;
use super::state::{Heading, Holding, Installed, Owned, Print, Record, State};
use crate::cache::trees::Tree;
use crate::error::Result;
use crate::host::clone::Cloner;
use crate::host::drafts::Drafts;
use crate::host::listing::Entry;
use crate::host::many;
use crate::model::{LinkMode, Task};
use crate::plan::shasum_of;

/// Where and how to install.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstallOptions {
    /// Absolute. May itself be a symlink; below it none is followed.
    pub(crate) install_dir: PathBuf,
    /// Absolute. It may lie below the install directory, and is nothing that a task has installed there.
    pub(crate) work_dir: PathBuf,
    /// Absolute paths outside of the install directory that may be installed too.
    pub(crate) extra_files: GlobSet,
    pub(crate) link_mode: LinkMode,
    /// Whether files that are there and belong to no task give way.
    pub(crate) replace_unowned: bool,
}

/// A task as it should be installed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'t> {
    pub(crate) task: &'t str,
    pub(crate) tag: &'t str,
    pub(crate) overrides: &'t [String],
}

/// Installs the trees of a run. Installs and removals take turns; [`verify`](Installer::verify) does not wait for them.
#[derive(Debug)]
pub(crate) struct Installer<'a> {
    options: InstallOptions,
    /// The tag of each task of this run. What another task holds under an older tag is on its way out, and no conflict.
    planned: HashMap<&'a str, &'a str>,
    territory: Territory,
    cloner: Cloner,
    state: &'a Mutex<State>,
    /// Who holds which path; made when first needed. Whoever installs or removes has the lock.
    register: Mutex<Option<Register>>,
}

/// Whether a task is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As recorded, under the wanted tag.
    Intact,
    /// Never installed, as far as is known.
    Absent,
    /// Installed under this other tag.
    OtherTag(String),
    /// Installed, but not as recorded.
    Damaged {
        /// The first path that differs.
        path: PathBuf,
        /// How: `is gone`.
        why: &'static str,
    },
}

/// What an install did, in files and symlinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Newly put in place.
    pub(crate) written: usize,
    /// Found to be right already.
    pub(crate) kept: usize,
    /// Left to a task that overrides this one.
    pub(crate) lost: usize,
    /// Of an earlier tag, removed.
    pub(crate) removed: usize,
}

impl<'a> Installer<'a> {
    pub(crate) fn new(options: InstallOptions, state: &'a Mutex<State>) -> Self {
        let territory = Territory::new(&options.install_dir, options.extra_files.clone());
        let cloner = Cloner::new(options.link_mode, Drafts::of(&options.work_dir));
        Self { options, planned: HashMap::new(), territory, cloner, state, register: Mutex::default() }
    }

    /// Tells under which tag each task is going to be installed.
    pub(crate) fn expect(&mut self, planned: impl Iterator<Item = (&'a str, &'a str)>) {
        self.planned = planned.collect();
    }

    /// Whether a task is installed under a tag, with the right to replace what it does, judged by looking at every
    /// recorded path.
    ///
    /// A change that keeps size, modification time, mode and inode is not seen.
    pub(crate) fn verify(&self, task: &str, tag: &str, overrides: &[String]) -> Verdict {
        let installed = self.state().installed(task);
        match installed {
            None => Verdict::Absent,
            Some(installed) if installed.tag != tag => Verdict::OtherTag(installed.tag),
            Some(installed) if !installed.complete => {
                Verdict::Damaged { path: self.options.install_dir.clone(), why: "holds an unfinished installation" }
            }
            Some(installed) if installed.overrides != overrides => {
                Verdict::Damaged { path: self.options.install_dir.clone(), why: "was installed with other `overrides`" }
            }
            Some(installed) => self.damage(&installed.owned).unwrap_or(Verdict::Intact),
        }
    }

    /// Of each of `tasks`, whether [`verify`](Installer::verify) would find it intact. All are looked at in one go, for
    /// which nobody else may use the state: before anything is installed.
    pub(crate) fn intact<T: Sync>(&self, tasks: &[T], expected: impl Fn(&T) -> Expected<'_> + Sync) -> Vec<bool> {
        let state = self.state();
        let sight = Sight::from_install_dir(&self.territory);
        many::map(tasks, |task| {
            let Expected { task, tag, overrides } = expected(task);
            let record = state.record(task).filter(|record| record.tag == tag);
            record.is_some_and(|record| self.stands(&record, overrides, &sight))
        })
    }

    /// What can be seen of each of `tasks`, with tags that begin with `prefix`. All are looked at in one go, as by
    /// [`intact`](Installer::intact).
    pub(crate) fn glance(&self, tasks: &[&Task], prefix: &str) -> Vec<Seen> {
        let state = self.state();
        let sight = Sight::from_install_dir(&self.territory);
        many::map(tasks, |task| {
            let record = state.record(task.name());
            let is_recorded = record.is_some();
            let stands = record.filter(|record| self.stands(record, &task.particulars().overrides, &sight));
            Seen {
                is_recorded,
                intact: stands.and_then(|record| shasum_of(record.tag, prefix, task.name())),
                duration: state.duration(task.name()),
            }
        })
    }

    fn stands(&self, record: &Record<'_>, overrides: &[String], sight: &Sight<'_>) -> bool {
        if !record.complete {
            return false;
        }
        match record.is_large() {
            false => record.holds(overrides, |path, holding| sight.difference(path, holding).is_none()),
            true => {
                let installed = record.decode().filter(|installed| installed.overrides == overrides);
                installed.is_some_and(|installed| self.damage(&installed.owned).is_none())
            }
        }
    }

    /// Refuses a tree that has anything where the project may not install.
    ///
    /// # Errors
    ///
    /// [`Outside`](crate::Error::Outside)
    pub(crate) fn admit(&self, task: &str, entries: &[Entry]) -> Result<()> {
        self.territory.check(task, entries)
    }

    /// The task that has installed a file or symlink at an absolute path.
    pub(crate) fn owner(&self, path: &Path) -> Option<String> {
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        let path = path.strip_prefix("/").unwrap_or(path);
        let holders = register.others("", path);
        let holder = holders.iter().find(|holder| matches!(holder.holding, Holding::Leaf(_)));
        holder.map(|holder| holder.task.to_owned())
    }

    /// Installs a tree as what a task has installed, in place of what it had before.
    ///
    /// # Errors
    ///
    /// [`Outside`](crate::Error::Outside), [`Conflict`](crate::Error::Conflict) and
    /// [`Unowned`](crate::Error::Unowned), before anything is changed. After any other error the record says that the
    /// installation is unfinished.
    pub(crate) fn install(&self, task: &str, tag: &str, tree: &Tree, overrides: &[String]) -> Result<Counts> {
        let mut register = self.register();
        let installed = {
            let register = register.get_or_insert_with(|| Register::of(&self.state()));
            self.install_beside(register, task, Heading { tag, complete: false, overrides }, tree)
        };
        if installed.is_err() {
            // What was begun is in the state alone.
            *register = None;
        }
        installed
    }

    fn install_beside(&self, register: &mut Register, task: &str, heading: Heading<'_>, tree: &Tree) -> Result<Counts> {
        let old = self.state().installed(task).unwrap_or_default();
        self.sweep(&old)?;
        let mut plan = Plan::make(self, register, task, &old, tree, heading.overrides)?;
        if !plan.blockers.is_empty() {
            plan.blockers.iter().try_for_each(|blocker| self.clear_of(register, blocker))?;
            plan = Plan::make(self, register, task, &old, tree, heading.overrides)?;
        }
        self.state().set_record(task, heading, plan.intent(&old).into_iter())?;
        for (loser, paths) in &plan.losers {
            self.lose(register, loser, paths, heading.overrides.contains(loser))?;
        }
        let site = Site::make(&self.territory)?;
        let owned = plan.carry_out(&site, &self.cloner, &old, tree)?;
        for (sharer, paths) in &plan.sharers {
            self.follow(register, sharer, paths, &owned)?;
        }
        let removed = self.remove_stale(register, &site, task, &old, &owned)?;
        let counts = Counts { removed, ..plan.counts() };
        let Heading { tag, overrides, .. } = heading;
        let record = Installed { tag: tag.to_owned(), complete: true, overrides: overrides.to_vec(), owned };
        self.state().set_installed(task, &record)?;
        register.set(task, record);
        Ok(counts)
    }

    /// Removes what a task has installed, and forgets the task. Returns how many files and symlinks went.
    ///
    /// For tasks that have left the project: before anything is installed.
    pub(crate) fn remove(&self, task: &str) -> Result<usize> {
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        let removed = self.take_away(register, task)?.map_or(0, |(_, removed)| removed);
        register.forget(task);
        self.state().forget(task)?;
        Ok(removed)
    }

    /// Removes what a task has installed, before it is built anew. What it was only seen to make stays, and stays its
    /// to replace.
    pub(crate) fn clear(&self, task: &str) -> Result<()> {
        let mut register = self.register();
        self.clear_of(register.get_or_insert_with(|| Register::of(&self.state())), task)
    }

    /// Takes away what those of `tasks` have installed that will not stay as they are and that others have lost files to:
    /// what these are owed is put back in this run, and not in the next. Returns whether there were any.
    ///
    /// For the beginning of a run.
    pub(crate) fn give_back<'t>(&self, tasks: impl Iterator<Item = Expected<'t>>) -> Result<bool> {
        let changes = |wanted: &Expected<'_>, old: &Installed| {
            old.tag != wanted.tag || !old.complete || old.overrides != wanted.overrides
        };
        let mut given = false;
        for wanted in tasks {
            let old = self.state().record(wanted.task).and_then(|record| record.overriding());
            let Some(old) = old.filter(|old| changes(&wanted, old)) else { continue };
            let mut register = self.register();
            let register = register.get_or_insert_with(|| Register::of(&self.state()));
            let owes = |owned: &Owned| {
                let mut others = register.others(wanted.task, &owned.path).into_iter();
                others.any(|other| other.holding == Holding::Lost)
            };
            if old.owned.iter().any(owes) {
                self.clear_of(register, wanted.task)?;
                given = true;
            }
        }
        Ok(given)
    }

    fn clear_of(&self, register: &mut Register, task: &str) -> Result<()> {
        let Some((mut old, _)) = self.take_away(register, task)? else { return Ok(()) };
        old.owned.retain(|owned| matches!(owned.holding, Holding::Seen(_)));
        self.keep(register, task, &old)
    }

    /// What a task had installed, now removed and its record unfinished, and how many files and symlinks that were.
    fn take_away(&self, register: &mut Register, task: &str) -> Result<Option<(Installed, usize)>> {
        let Some(mut old) = self.state().installed(task) else { return Ok(None) };
        self.sweep(&old)?;
        old.complete = false;
        self.keep(register, task, &old)?;
        let removed = self.remove_stale(register, &Site::open(&self.territory)?, task, &old, &[])?;
        Ok(Some((old, removed)))
    }

    fn damage(&self, owned: &[Owned]) -> Option<Verdict> {
        let sight = Sight::from_root(&self.territory);
        let check = |owned: &Owned| {
            let why = sight.difference(&owned.path, owned.holding)?;
            Some(Verdict::Damaged { path: Path::new("/").join(&owned.path), why })
        };
        many::find_first(owned, check)
    }

    /// Removes the temporary files of an installation that was interrupted.
    fn sweep(&self, old: &Installed) -> Result<()> {
        let nothing = old.complete || old.owned.is_empty();
        if nothing { Ok(()) } else { Site::open(&self.territory)?.sweep(&old.owned, self.cloner.drafts()) }
    }

    /// Removes what `old` holds and `new` does not, unless another task holds it too.
    fn remove_stale(
        &self,
        register: &mut Register,
        site: &Site,
        task: &str,
        old: &Installed,
        new: &[Owned],
    ) -> Result<usize> {
        let stale = register.stale(task, old, new);
        let removed = site.remove(&stale.owned)?;
        site.set_modes(&stale.modes)?;
        for loser in &stale.owed {
            self.unsettle(register, loser)?;
        }
        Ok(removed)
    }

    /// Notes that paths of a task now hold another task's files. Unless that is for good the task is on its way to
    /// another tag, and does not stand under the one it has, should it never get there.
    fn lose(&self, register: &mut Register, task: &str, paths: &HashSet<PathBuf>, for_good: bool) -> Result<()> {
        self.amend(register, task, |record| {
            record.complete &= for_good;
            for owned in record.owned.iter_mut().filter(|owned| paths.contains(&owned.path)) {
                owned.holding = Holding::Lost;
            }
        })
    }

    /// Notes that files of a task, which another has too, were put in place anew by that one.
    fn follow(&self, register: &mut Register, task: &str, paths: &HashSet<PathBuf>, anew: &[Owned]) -> Result<()> {
        let anew: HashMap<_, _> = anew.iter().map(|owned| (&*owned.path, owned.holding)).collect();
        self.amend(register, task, |record| {
            for owned in record.owned.iter_mut().filter(|owned| paths.contains(&owned.path)) {
                owned.holding = anew.get(&*owned.path).copied().unwrap_or(owned.holding);
            }
        })
    }

    /// The file that overrode one of this task's has gone: the task has to be installed again.
    fn unsettle(&self, register: &mut Register, task: &str) -> Result<()> {
        self.amend(register, task, |record| record.complete = false)
    }

    fn amend(&self, register: &mut Register, task: &str, change: impl FnOnce(&mut Installed)) -> Result<()> {
        let Some(mut record) = self.state().installed(task) else { return Ok(()) };
        change(&mut record);
        self.keep(register, task, &record)
    }

    /// Writes a record down, here and in the register.
    fn keep(&self, register: &mut Register, task: &str, record: &Installed) -> Result<()> {
        self.state().set_installed(task, record)?;
        register.set(task, record.clone());
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic in an earlier install may have left the register behind the state: it is made anew.
    fn register(&self) -> MutexGuard<'_, Option<Register>> {
        self.register.lock().unwrap_or_else(|poisoned| {
            let mut register = poisoned.into_inner();
            *register = None;
            register
        })
    }
}

#[cfg(test)]
mod tests;
