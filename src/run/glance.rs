//! A glance: what is seen of what earlier runs have left while this one is still being planned. Most of the time it is
//! all as planned, and then nothing else has to be looked at.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::install::{InstallOptions, Installer};
use super::state::State;
use crate::model::Digest;
use crate::plan::Graph;

/// What was seen.
#[derive(Debug)]
pub(super) struct Glance {
    /// Of the selected tasks, in the plan's order.
    pub(super) tasks: Vec<Seen>,
    /// Tasks that have something installed and are in the project no more.
    pub(super) departed: Vec<String>,
}

/// What was seen of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether it has anything installed.
    pub(crate) is_recorded: bool,
    /// The key under which it is installed, complete and as recorded.
    pub(crate) intact: Option<Digest>,
    /// How long its last build took.
    pub(crate) duration: Option<Duration>,
}

impl Glance {
    /// Looks at the tasks at `selection`.
    pub(super) fn at(graph: &Graph<'_>, selection: &[usize], state: &Mutex<State>) -> Self {
        let project = graph.project();
        let options = InstallOptions { install_dir: project.install_dir.clone(), ..InstallOptions::default() };
        let installer = Installer::new(options, state);
        let tasks: Vec<_> = selection.iter().filter_map(|position| project.tasks().get(*position)).collect();
        let tasks = installer.glance(&tasks, project.tag_prefix());
        let known = tasks.iter().filter(|seen| seen.is_recorded).count();
        // Most of the time these are all, and none of them has to be looked up by name.
        let departed = match known == count(state) {
            true => Vec::new(),
            false => departed(|name| graph.knows(name), state),
        };
        Self { tasks, departed }
    }
}

/// How many tasks have something installed.
fn count(state: &Mutex<State>) -> usize {
    state.lock().unwrap_or_else(PoisonError::into_inner).count_installed()
}

/// The tasks that have something installed and that nobody knows any more.
pub(super) fn departed(knows: impl Fn(&str) -> bool, state: &Mutex<State>) -> Vec<String> {
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let departed = state.installed_tasks().filter(|task| !knows(task));
    departed.map(str::to_owned).collect()
}
