//! Who holds which path: the records of all tasks, turned around.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::run::state::{Holding, Installed, Owned, State};

#[derive(Debug, Default)]
pub(super) struct Register {
    holders: HashMap<PathBuf, Vec<Holder>>,
    tasks: HashMap<String, Entry>,
}

/// A task that holds a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) task: String,
    pub(super) holding: Holding,
}

#[derive(Debug)]
struct Entry {
    tag: String,
    overrides: Vec<String>,
    paths: Vec<PathBuf>,
}

/// What a task leaves behind.
#[derive(Debug)]
pub(super) struct Stale {
    /// To be removed, in the order of a listing.
    pub(super) owned: Vec<Owned>,
    /// Tasks that had lost one of these paths, and are owed it back.
    pub(super) owed: BTreeSet<String>,
}

impl Register {
    pub(super) fn of(state: &State) -> Register {
        let mut tasks: Vec<_> = state.all_installed().collect();
        tasks.sort_unstable_by_key(|(task, _)| *task);
        let mut register = Register::default();
        for (task, installed) in tasks {
            register.set(task, &installed);
        }
        register
    }

    pub(super) fn set(&mut self, task: &str, installed: &Installed) {
        self.forget(task);
        let owned = || installed.owned.iter().filter(|owned| !matches!(owned.holding, Holding::Seen(_)));
        for Owned { path, holding } in owned() {
            let holder = Holder { task: task.to_owned(), holding: *holding };
            self.holders.entry(path.clone()).or_default().push(holder);
        }
        let entry = Entry {
            tag: installed.tag.clone(),
            overrides: installed.overrides.clone(),
            paths: owned().map(|owned| owned.path.clone()).collect(),
        };
        self.tasks.insert(task.to_owned(), entry);
    }

    pub(super) fn forget(&mut self, task: &str) {
        for path in self.tasks.remove(task).into_iter().flat_map(|entry| entry.paths) {
            if let Some(holders) = self.holders.get_mut(&path) {
                holders.retain(|holder| holder.task != task);
                if holders.is_empty() {
                    self.holders.remove(&path);
                }
            }
        }
    }

    /// The other tasks that hold a path, in any way.
    pub(super) fn others<'r>(&'r self, task: &'r str, path: &Path) -> impl Iterator<Item = &'r Holder> + use<'r> {
        self.holders.get(path).into_iter().flatten().filter(move |holder| holder.task != task)
    }

    /// Whether a task's record says that it may replace files of another.
    pub(super) fn overrides(&self, task: &str, other: &str) -> bool {
        self.tasks.get(task).is_some_and(|entry| entry.overrides.iter().any(|name| name == other))
    }

    pub(super) fn tag(&self, task: &str) -> Option<&str> {
        self.tasks.get(task).map(|entry| entry.tag.as_str())
    }

    /// What `old` holds that `new` does not and no other task does.
    pub(super) fn stale(&self, task: &str, old: &Installed, new: &[Owned]) -> Stale {
        let kept: HashSet<&Path> = new.iter().map(|owned| &*owned.path).collect();
        let gone = |owned: &&Owned| !kept.contains(&*owned.path) && owned.holding != Holding::Lost;
        let mut stale = Stale { owned: Vec::new(), owed: BTreeSet::new() };
        for owned in old.owned.iter().filter(gone) {
            let (losers, holders): (Vec<_>, Vec<_>) =
                self.others(task, &owned.path).partition(|holder| holder.holding == Holding::Lost);
            if holders.is_empty() {
                stale.owned.push(owned.clone());
                stale.owed.extend(losers.into_iter().map(|holder| holder.task.clone()));
            }
        }
        stale
    }
}
