//! A run with nothing to do: what it tells, and its report.

use std::time::{Duration, Instant};

use super::event::{Event, Outcome};
use super::observers::Observers;
use super::report::{CacheReport, Report, TaskReport};
use super::state::State;
use crate::model::Digest;

/// A task that is installed as planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intact<'t> {
    pub(super) name: &'t str,
    pub(super) tag: &'t str,
    pub(super) shasum: Digest,
}

/// Tells of every task that it is up to date.
pub(super) fn tell<'t>(tasks: impl Iterator<Item = Intact<'t>>, observers: &Observers) {
    if observers.are_none() {
        return;
    }
    for task in tasks {
        let outcome = Outcome::UpToDate;
        observers.tell(&Event::TaskFinished { task: task.name.into(), outcome, duration: Duration::ZERO });
    }
}

/// The report of a run in which every task was up to date.
pub(super) fn report<'t>(
    project: &str,
    tasks: impl Iterator<Item = Intact<'t>>,
    state: &State,
    start: Instant,
) -> Report {
    let tasks = tasks.map(|task| TaskReport {
        name: task.name.to_owned(),
        tag: task.tag.to_owned(),
        shasum: task.shasum,
        outcome: Outcome::UpToDate,
        duration: Duration::ZERO,
        saved: state.duration(task.name).unwrap_or_default(),
        error: None,
        looks: Vec::new(),
        offers: Vec::new(),
        log: None,
    });
    Report {
        project: project.to_owned(),
        tasks: tasks.collect(),
        cache: CacheReport::default(),
        duration: start.elapsed(),
        interrupted: false,
    }
}
