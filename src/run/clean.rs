//! Cleaning: takes away what runs of a project have made, and nothing else.
//!
//! Installed files are known from their records, everything else lies in the work directory under names that only the
//! engine uses.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::install::Installer;
use super::state::{Holding, State};
use super::summary;
use super::work_dir::WorkDir;
use crate::error::Result;
use crate::host::fs;
use crate::model::Project;

/// What to take away. Always: installed files, unpacked sources, stages and temporary files.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Clean {
    trees: bool,
    everything: bool,
    dry_run: bool,
}

/// What was taken away, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleaned {
    /// Installed files and symlinks.
    pub files: Vec<PathBuf>,
    /// What lay in the work directory: directories with all that was in them, and files.
    pub work: Vec<PathBuf>,
}

impl Clean {
    /// What is always taken away.
    pub fn new() -> Self {
        Self::default()
    }

    /// The finished trees too: the next run restores or builds.
    pub fn trees(mut self, wanted: bool) -> Self {
        self.trees = wanted;
        self
    }

    /// Trees, downloaded sources, logs, and all that is remembered of earlier runs. The work directory itself stays.
    pub fn everything(mut self, wanted: bool) -> Self {
        self.everything = wanted;
        self
    }

    /// Only says what would go.
    pub fn dry_run(mut self, wanted: bool) -> Self {
        self.dry_run = wanted;
        self
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// What goes from the work directory, in this order: what is known of installed files goes last.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let scratch = ["src", "stage", "tmp", "restore", "pack"].as_slice();
        let trees = ["trees"].as_slice();
        let rest = ["sources", "logs", "histories", "standing", "artifacts", "owed", "unfinished", "pruned", "state"]
            .as_slice();
        let wanted = [(true, scratch), (self.trees || self.everything, trees), (self.everything, rest)];
        wanted.into_iter().filter(|(wanted, _)| *wanted).flat_map(|(_, names)| names.iter().copied())
    }
}

/// Cleans a work directory and what was installed from it. Whoever calls this has locked it, unless it is a dry run.
pub(crate) fn clean(
    what: &Clean,
    project: &Project,
    dir: &WorkDir,
    installer: &Installer<'_>,
    state: &Mutex<State>,
) -> Result<Cleaned> {
    let Found { tasks, complete, mut files } = installed(state);
    files.extend(own_summary(project, &complete));
    let work = what.names().map(|name| dir.root().join(name));
    let work: Vec<_> = work.filter(|path| path.symlink_metadata().is_ok()).collect();
    if what.dry_run {
        return Ok(Cleaned { files, work });
    }
    remove_summary(project, &complete)?;
    tasks.iter().try_for_each(|task| installer.remove(task).map(drop))?;
    work.iter().try_for_each(|path| fs::remove_tree(path))?;
    files.retain(|path| path.symlink_metadata().is_err());
    Ok(Cleaned { files, work })
}

/// What the records say.
#[derive(Default)]
struct Found {
    /// The tasks that have a record, sorted.
    tasks: Vec<String>,
    /// Those of them that are installed as a whole.
    complete: Vec<String>,
    /// Their files that are still there, sorted.
    files: Vec<PathBuf>,
}

fn installed(state: &Mutex<State>) -> Found {
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let Found { mut tasks, mut complete, mut files } = Found::default();
    for (task, installed) in state.all_installed() {
        tasks.push(task.to_owned());
        complete.extend(installed.complete.then(|| task.to_owned()));
        let leaves = installed.owned.into_iter().filter(|owned| matches!(owned.holding, Holding::Leaf(_)));
        files.extend(leaves.map(|owned| PathBuf::from("/").join(owned.path)));
    }
    files.retain(|path| path.symlink_metadata().is_ok());
    tasks.sort_unstable();
    files.sort_unstable();
    files.dedup();
    Found { tasks, complete, files }
}

/// The licence summary, if it is the one that a run has written.
fn own_summary(project: &Project, complete: &[String]) -> Option<PathBuf> {
    let path = project.license_summary();
    let tasks = project.tasks().iter().filter(|task| complete.iter().any(|name| name == task.name()));
    let text = std::fs::read(&path).ok()?;
    (text == summary::text(project, tasks).as_bytes()).then_some(path)
}

fn remove_summary(project: &Project, complete: &[String]) -> Result<()> {
    own_summary(project, complete).map_or(Ok(()), |path| fs::remove_tree(&path))
}
