//! Who holds which path: the records of all tasks, turned around.

use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::host::listing::bytes;
use crate::run::state::{Holding, Installed, Owned, State};

/// It is made by every run that installs anything, however little, and of all that is installed: paths are where their
/// tasks are, and nowhere else.
#[derive(Debug, Default)]
pub(super) struct Register {
    tasks: Vec<Entry>,
    /// Where in `tasks` each task is.
    numbers: HashMap<String, usize>,
    /// Every place in `tasks` of a path, by the path's bytes.
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

/// A task that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder<'r> {
    pub(super) task: &'r str,
    pub(super) holding: Holding,
}

#[derive(Debug)]
struct Entry {
    name: String,
    tag: String,
    overrides: Vec<String>,
    /// What was only seen belongs to nobody, and is left out.
    owned: Vec<Owned>,
}

/// A task, and one of the paths that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    task: usize,
    path: usize,
}

impl Place {
    fn owned(self, tasks: &[Entry]) -> &Owned {
        &tasks[self.task].owned[self.path]
    }
}

/// What a task leaves behind.
#[derive(Debug)]
pub(super) struct Stale {
    /// To be removed, in the order of a listing.
    pub(super) owned: Vec<Owned>,
    /// Tasks that had lost one of these paths, and are owed it back.
    pub(super) owed: BTreeSet<String>,
    /// Directories that stay because others hold them, and what these have as their mode.
    pub(super) modes: Vec<(PathBuf, u32)>,
}

/// The mode of a directory that several tasks hold: whatever one of them allows, whoever comes first.
pub(super) fn shared_mode(holders: &[Holder<'_>]) -> u32 {
    let modes = holders.iter().map(|holder| match holder.holding {
        Holding::Directory { mode, .. } => mode,
        _ => 0,
    });
    modes.fold(0, |shared, mode| shared | mode)
}

impl Register {
    pub(super) fn of(state: &State) -> Register {
        let mut register = Register::default();
        let count = state.count_installed();
        register.tasks.reserve(count);
        register.numbers.reserve(count);
        for (task, installed) in state.all_installed() {
            register.set(task, installed);
        }
        register
    }

    pub(super) fn set(&mut self, task: &str, installed: Installed) {
        let Installed { tag, overrides, mut owned, .. } = installed;
        owned.retain(|owned| !matches!(owned.holding, Holding::Seen(_)));
        let entry = Entry { name: task.to_owned(), tag, overrides, owned };
        let number = match self.numbers.get(task).copied() {
            Some(number) => {
                self.leave(number);
                self.tasks[number] = entry;
                number
            }
            None => {
                self.tasks.push(entry);
                self.numbers.insert(task.to_owned(), self.tasks.len() - 1);
                self.tasks.len() - 1
            }
        };
        self.enter(number);
    }

    pub(super) fn forget(&mut self, task: &str) {
        if let Some(number) = self.numbers.remove(task) {
            self.leave(number);
            self.tasks[number].owned = Vec::new();
        }
    }

    fn enter(&mut self, task: usize) {
        let Self { tasks, places, hasher, .. } = self;
        let hash = |place: &Place| hasher.hash_one(bytes(&place.owned(tasks).path));
        for path in 0..tasks[task].owned.len() {
            let place = Place { task, path };
            places.insert_unique(hash(&place), place, hash);
        }
    }

    fn leave(&mut self, task: usize) {
        for (path, owned) in self.tasks[task].owned.iter().enumerate() {
            let place = Place { task, path };
            let found = self.places.find_entry(self.hasher.hash_one(bytes(&owned.path)), |other| *other == place);
            found.into_iter().for_each(|found| _ = found.remove());
        }
    }

    /// The other tasks that hold a path, in any way, sorted by name.
    pub(super) fn others<'r>(&'r self, task: &str, path: &Path) -> Vec<Holder<'r>> {
        let same = self.places.iter_hash(self.hasher.hash_one(bytes(path)));
        let same = same.map(|place| (place.task, place.owned(&self.tasks)));
        let same = same.filter(|(_, owned)| bytes(&owned.path) == bytes(path));
        let holders = same.map(|(number, owned)| Holder { task: &self.tasks[number].name, holding: owned.holding });
        let mut holders: Vec<_> = holders.filter(|holder| holder.task != task).collect();
        holders.sort_unstable_by_key(|holder| holder.task);
        holders
    }

    /// Whether a task's record says that it may replace files of another.
    pub(super) fn overrides(&self, task: &str, other: &str) -> bool {
        self.entry(task).is_some_and(|entry| entry.overrides.iter().any(|name| name == other))
    }

    pub(super) fn tag(&self, task: &str) -> Option<&str> {
        self.entry(task).map(|entry| entry.tag.as_str())
    }

    fn entry(&self, task: &str) -> Option<&Entry> {
        self.numbers.get(task).and_then(|number| self.tasks.get(*number))
    }

    /// What `old` holds that `new` does not and no other task does.
    pub(super) fn stale(&self, task: &str, old: &Installed, new: &[Owned]) -> Stale {
        let kept: HashSet<&Path> = new.iter().map(|owned| &*owned.path).collect();
        let gone = |owned: &&Owned| !kept.contains(&*owned.path) && owned.holding != Holding::Lost;
        let mut stale = Stale { owned: Vec::new(), owed: BTreeSet::new(), modes: Vec::new() };
        for owned in old.owned.iter().filter(gone) {
            let others = self.others(task, &owned.path);
            let (losers, holders): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|holder| holder.holding == Holding::Lost);
            if holders.is_empty() {
                stale.owned.push(owned.clone());
                stale.owed.extend(losers.into_iter().map(|holder| holder.task.to_owned()));
            } else if let Holding::Directory { created, .. } = owned.holding {
                let created = created || holders.iter().any(|holder| holder.holding.is_created());
                let mode = shared_mode(&holders);
                stale.modes.extend((created && mode != 0).then(|| (owned.path.clone(), mode)));
            }
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(paths: &[&str]) -> Installed {
        let holding = Holding::Directory { created: true, mode: 0o755 };
        let owned = paths.iter().map(|path| Owned { path: path.into(), holding }).collect();
        Installed { tag: "tag".into(), owned, ..Installed::default() }
    }

    fn others<'r>(register: &'r Register, path: &str) -> Vec<&'r str> {
        register.others("me", Path::new(path)).into_iter().map(|holder| holder.task).collect()
    }

    #[test]
    fn a_path_is_held_by_those_whose_last_record_has_it() {
        let mut register = Register::default();
        for task in ["me", "zlib", "app"] {
            register.set(task, installed(&["shared", task]));
        }
        assert_eq!((others(&register, "shared"), others(&register, "app")), (vec!["app", "zlib"], vec!["app"]));
        register.set("app", installed(&["app", "more"]));
        assert_eq!((others(&register, "shared"), others(&register, "more")), (vec!["zlib"], vec!["app"]));
        register.forget("app");
        register.forget("nobody");
        assert_eq!((others(&register, "app"), register.tag("app")), (vec![], None));
        register.set("app", installed(&["shared"]));
        assert_eq!((others(&register, "shared"), register.tag("app")), (vec!["app", "zlib"], Some("tag")));
    }

    #[test]
    fn many_paths_keep_their_holders() {
        let mut register = Register::default();
        let name = |number: u32| format!("task{number}");
        (0..1000).for_each(|number| register.set(&name(number), installed(&[&name(number), "shared"])));
        (0..1000).step_by(2).for_each(|number| register.forget(&name(number)));
        (0..1000).for_each(|number| assert_eq!(others(&register, &name(number)).len() as u32, number % 2));
        assert_eq!(others(&register, "shared").len(), 500);
    }
}
