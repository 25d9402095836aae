//! The report: what happened in a run, as a value for whoever started it.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::event::Outcome;
use crate::cache::{Counts, Look, Offer, Statistics};
use crate::error::{Error, Result};
use crate::model::Digest;

/// What happened. A run that took place gives a report even if tasks failed: look at [`success`](Report::success), or
/// let [`check`](Report::check) turn a failure into an error.
#[derive(Debug, Serialize)]
#[non_exhaustive]
#[must_use = "a run whose tasks failed gives a report too: see `check`"]
pub struct Report {
    /// The project.
    pub project: String,
    /// Every task of the plan, in the plan's order.
    pub tasks: Vec<TaskReport>,
    /// How the cache did.
    pub cache: CacheReport,
    /// How long the run took, in seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// Whether the caller interrupted the run.
    pub interrupted: bool,
}

/// What happened to one task.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TaskReport {
    /// The task.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its key.
    pub shasum: Digest,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// How long its last build took, in seconds, when it did not have to be built now.
    #[serde(rename = "seconds_saved", serialize_with = "seconds")]
    pub saved: Duration,
    /// Why it failed.
    #[serde(skip)]
    pub error: Option<Box<Error>>,
    /// Which tiers of the cache were asked for its artifact, and what they answered.
    pub looks: Vec<Look>,
    /// Which tiers of the cache were offered its artifact, and what became of it.
    pub offers: Vec<Offer>,
    /// The full log of its run.
    pub log: Option<PathBuf>,
}

/// How the cache did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheReport {
    /// Artifacts restored.
    pub hits: usize,
    /// Artifacts that were not there.
    pub misses: usize,
    /// Fetches that failed: errors, time-outs, corrupt artifacts.
    pub failed_fetches: usize,
    /// Artifacts kept.
    pub stored: usize,
    /// Artifacts that could not be kept.
    pub failed_updates: usize,
    /// Bytes of the artifacts kept.
    pub stored_bytes: u64,
    /// Artifacts that are on this machine and that the cache should have and has not: later runs offer them again. Counted
    /// by runs that had something to do.
    pub owed: usize,
    /// What each tier did, nearest first; one called `cache` where the callbacks have no tiers.
    pub tiers: Vec<TierReport>,
}

/// How one tier of the cache did. Over all tiers the counts are the sums of the tasks' [`looks`](TaskReport::looks) and
/// [`offers`](TaskReport::offers).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TierReport {
    /// The tier's name.
    pub name: String,
    /// What it did.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why it was left alone, if it was.
    pub left: Option<String>,
}

impl TierReport {
    pub(crate) fn new(name: String) -> Self {
        Self { name, counts: Counts::default(), left: None }
    }
}

impl Report {
    /// Whether every task ended well.
    pub fn success(&self) -> bool {
        !self.interrupted && self.tasks.iter().all(|task| task.outcome.is_success())
    }

    /// The numbers of this run, as a [`Ledger`](crate::Ledger) keeps them: by tier, and by project and task.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        for tier in &self.cache.tiers {
            statistics.add_tier(&tier.name, &tier.counts);
        }
        for task in self.tasks.iter().filter(|task| !task.looks.is_empty() || !task.offers.is_empty()) {
            let mut counts = Counts::default();
            task.looks.iter().for_each(|look| counts.count_look(look));
            task.offers.iter().for_each(|offer| counts.count_offer(offer));
            statistics.add_task(&format!("{}/{}", self.project, task.name), &counts);
        }
        statistics.runs = 1;
        statistics
    }

    /// How many tasks ended in a way that `wanted` accepts.
    pub fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.tasks.iter().filter(|task| wanted(&task.outcome)).count()
    }

    /// The time that the cache and the trees saved.
    pub fn saved(&self) -> Duration {
        self.tasks.iter().map(|task| task.saved).sum()
    }

    /// The report of a run that succeeded.
    ///
    /// # Errors
    /// The first failed task's error; [`Error::Interrupted`] for an interrupted run.
    pub fn check(mut self) -> Result<Self> {
        match self.tasks.iter_mut().find_map(|task| task.error.take()) {
            Some(error) => Err(*error),
            None if self.success() => Ok(self),
            None => Err(Error::Interrupted),
        }
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
