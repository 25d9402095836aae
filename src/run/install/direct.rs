//! Tasks that install directly: their steps write below the install directory themselves, so what they have written
//! can only be observed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::register::Register;
use super::{Holding, Installed, Installer, Owned, Print};
use crate::error::Result;
use crate::host::fs::probe;
use crate::host::listing::{Entry, Kind, Listing};
use crate::run::ours::Ours;

/// A direct task that ran, and when.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) task: String,
    pub(crate) tag: String,
    pub(crate) overrides: Vec<String>,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

/// The print of a file that a direct task has removed.
pub(super) const GONE: Print = Print { mode: 0, size: 0, mtime: (0, 0), inode: 0 };

/// File systems stamp changes by a clock that ticks this seldom at the most.
const TICK: Duration = Duration::from_millis(20);

impl Installer<'_> {
    /// A direct task is going to run: whatever it changed of other tasks' files is put back first, by those tasks.
    pub(crate) fn renew(&self, task: &str) -> Result<()> {
        let Some(record) = self.state().installed(task) else { return Ok(()) };
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        let seen = record.owned.iter().filter(|owned| matches!(owned.holding, Holding::Seen(_)));
        let holders = seen.flat_map(|owned| register.others(task, &owned.path));
        let owners: BTreeSet<String> = holders.map(|holder| holder.task.to_owned()).collect();
        owners.iter().try_for_each(|owner| self.unsettle(register, owner))
    }

    /// A direct task begins: until [`observe`](Installer::observe), its record says that it is unfinished.
    pub(crate) fn begin_direct(&self, task: &str, tag: &str, overrides: &[String]) -> Result<()> {
        let owned = self.state().installed(task).unwrap_or_default().owned;
        self.record_direct(task, tag, overrides, false, owned)
    }

    /// Records a task that has nothing to install.
    pub(crate) fn complete_empty(&self, task: &str, tag: &str, overrides: &[String]) -> Result<()> {
        self.record_direct(task, tag, overrides, true, Vec::new())
    }

    /// Records direct tasks that succeeded, each with the files below the install directory that appeared or changed
    /// while it ran, and with those that are gone now of the tasks in `sound`, which were whole in this run. Of tasks
    /// that ran at the same time each is said to have done it all: too much is looked after, never too little. What is
    /// another now of the files that a sound task was said to have made is how it is meant to be.
    pub(crate) fn observe(&self, spans: &[Span], sound: &HashSet<&str>) -> Result<()> {
        if spans.is_empty() {
            return Ok(());
        }
        let root = &self.options.install_dir;
        let entries = match probe(root)? {
            Some(_) => {
                let real = root.canonicalize().unwrap_or_else(|_| root.clone());
                let ours = Ours::of([&self.options.work_dir; 2]);
                let is_ours = |path: &Path, _| ours.has(&root.join(path)) || ours.has(&real.join(path));
                Listing::of_filtered(&real, &is_ours)?.entries
            }
            None => Vec::new(),
        };
        let mut changes = Changes::default();
        self.find_gone(sound, &mut changes);
        for span in spans {
            let seen = entries.iter().filter(|entry| entry.kind != Kind::Directory && changed_in(entry, span));
            let mut owned: Vec<_> =
                seen.filter_map(|entry| self.seen(&root.join(&entry.path), &span.task, &mut changes)).collect();
            owned.extend(changes.gone.iter().map(|path| Owned { path: path.clone(), holding: Holding::Seen(GONE) }));
            self.record_direct(&span.task, &span.tag, &span.overrides, true, owned)?;
        }
        let ran: HashSet<&str> = spans.iter().map(|span| &*span.task).collect();
        self.find_made_anew(|task| sound.contains(task) && !ran.contains(task), &mut changes);
        self.settle_changes(changes)
    }

    /// What a direct task is said to have put at a path; `None` for what an install has put there.
    fn seen(&self, place: &Path, task: &str, changes: &mut Changes) -> Option<Owned> {
        let path = place.strip_prefix("/").ok()?.to_path_buf();
        let print = Print::of(&probe(place).ok().flatten()?);
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        let mut owners = register.others(task, &path);
        owners.retain(|holder| matches!(holder.holding, Holding::Leaf(_)));
        if owners.iter().any(|owner| owner.holding == Holding::Leaf(print)) {
            return None;
        }
        for owner in owners {
            changes.of(owner.task).insert(path.clone(), Holding::Leaf(print));
        }
        changes.made.insert(path.clone(), print);
        Some(Owned { path, holding: Holding::Seen(print) })
    }

    /// What tasks have installed and someone has removed.
    fn find_gone(&self, sound: &HashSet<&str>, changes: &mut Changes) {
        let state = self.state();
        for (task, installed) in state.all_installed().filter(|(task, _)| sound.contains(task)) {
            let leaves = installed.owned.iter().filter(|owned| matches!(owned.holding, Holding::Leaf(_)));
            for Owned { path, .. } in leaves {
                if matches!(probe(&Path::new("/").join(path)), Ok(None)) {
                    changes.gone.insert(path.clone());
                    changes.of(task).insert(path.clone(), Holding::Lost);
                }
            }
        }
    }

    /// What direct tasks that rest are said to have made, and those that ran have made anew.
    fn find_made_anew(&self, rests: impl Fn(&str) -> bool, changes: &mut Changes) {
        let mut anew = Vec::new();
        for (task, installed) in self.state().all_installed().filter(|(task, _)| rests(task)) {
            for Owned { path, holding } in installed.owned {
                match (holding, changes.made.get(&path)) {
                    (Holding::Seen(before), Some(now)) if before != GONE && before != *now => {
                        anew.push((task.to_owned(), path, Holding::Seen(*now)));
                    }
                    _ => {}
                }
            }
        }
        for (task, path, holding) in anew {
            changes.of(&task).insert(path, holding);
        }
    }

    /// What a direct task made of another task's file is how it is meant to be.
    fn settle_changes(&self, changes: Changes) -> Result<()> {
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        for (task, holdings) in &changes.by_task {
            self.amend(register, task, |record| {
                for owned in &mut record.owned {
                    if let Some(holding) = holdings.get(&owned.path) {
                        owned.holding = *holding;
                    }
                }
            })?;
        }
        Ok(())
    }

    fn record_direct(
        &self,
        task: &str,
        tag: &str,
        overrides: &[String],
        complete: bool,
        owned: Vec<Owned>,
    ) -> Result<()> {
        let mut register = self.register();
        let register = register.get_or_insert_with(|| Register::of(&self.state()));
        let record = Installed { tag: tag.to_owned(), complete, overrides: overrides.to_vec(), owned };
        self.keep(register, task, &record)
    }
}

/// What direct tasks did to the files of others.
#[derive(Default)]
struct Changes {
    gone: BTreeSet<PathBuf>,
    /// What they have made.
    made: HashMap<PathBuf, Print>,
    by_task: BTreeMap<String, HashMap<PathBuf, Holding>>,
}

impl Changes {
    fn of(&mut self, task: &str) -> &mut HashMap<PathBuf, Holding> {
        self.by_task.entry(task.to_owned()).or_default()
    }
}

/// Whether a file's inode changed while a task ran.
fn changed_in(entry: &Entry, span: &Span) -> bool {
    let (seconds, nanoseconds) = entry.stat.ctime;
    let Ok(seconds) = u64::try_from(seconds) else { return false };
    let changed = UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds));
    changed.is_some_and(|changed| changed >= span.start - TICK && changed <= span.end + TICK)
}
