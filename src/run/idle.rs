//! A run with nothing to do: what it tells, and its report.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, Outcome};
use super::glance::Glance;
use super::observers::Observers;
use super::report::{CacheReport, Report, TaskReport};
use super::state::State;
use crate::model::Digest;
use crate::plan::Plan;

/// A task that is installed as planned.
#[derive(Debug)]
pub(super) struct Intact<'t> {
    pub(super) name: &'t str,
    pub(super) tag: String,
    pub(super) shasum: Digest,
    /// How long its last build took.
    pub(super) duration: Option<Duration>,
}

/// Tells of every task that it is up to date.
pub(super) fn tell<'t>(tasks: impl Iterator<Item = &'t str>, observers: &Observers) {
    if observers.are_none() {
        return;
    }
    for task in tasks {
        let outcome = Outcome::UpToDate;
        observers.tell(&Event::TaskFinished { task: task.into(), outcome, duration: Duration::ZERO });
    }
}

/// The report of a run in which every task of a plan was up to date. What nobody has seen is looked up.
pub(super) fn of_plan(plan: Plan<'_>, glance: Option<&Glance>, state: &Mutex<State>, start: Instant) -> Report {
    let project = plan.project().name();
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let tasks = plan.into_tasks().into_iter().enumerate().map(|(position, task)| {
        let seen = glance.and_then(|glance| glance.tasks.get(position));
        let (name, shasum) = (task.name(), task.shasum());
        let duration = seen.map_or_else(|| state.duration(name), |seen| seen.duration);
        Intact { name, shasum, duration, tag: task.into_tag() }
    });
    report(project, tasks, start)
}

/// The report of a run in which every task was up to date.
pub(super) fn report<'t>(project: &str, tasks: impl Iterator<Item = Intact<'t>>, start: Instant) -> Report {
    let tasks = tasks.map(|task| TaskReport {
        name: task.name.to_owned(),
        tag: task.tag,
        shasum: task.shasum,
        outcome: Outcome::UpToDate,
        duration: Duration::ZERO,
        saved: task.duration.unwrap_or_default(),
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
