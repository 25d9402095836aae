//! What a run has shown: its events and its report.

use cortado::{Event, Miss, Outcome, Report};

/// A run that took place.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) events: Vec<Event>,
    pub(crate) report: Report,
}

impl Seen {
    /// How a task ended: `built`, `up to date`, `failed: …`.
    pub(crate) fn of(&self, task: &str) -> String {
        outcome(&self.report, task).to_string()
    }

    /// How all tasks ended, in the order of the plan: `zlib built, app restored`.
    pub(crate) fn all(&self) -> String {
        let ends: Vec<_> = self.report.tasks.iter().map(|task| format!("{} {}", task.name, task.outcome)).collect();
        ends.join(", ")
    }

    pub(crate) fn tag(&self, task: &str) -> String {
        self.report.tasks.iter().find(|report| report.name == task).unwrap().tag.clone()
    }

    /// The error of a task that failed.
    pub(crate) fn error(&self, task: &str) -> &cortado::Error {
        let task = self.report.tasks.iter().find(|report| report.name == task).unwrap();
        task.error.as_ref().unwrap_or_else(|| panic!("{} {}", task.name, task.outcome)).root()
    }

    /// The lines that a task has said.
    pub(crate) fn output(&self, task: &str) -> Vec<&str> {
        let said = self.events.iter().filter_map(|event| match event {
            Event::Output { task: name, line, .. } if **name == *task => Some(line.as_str()),
            _ => None,
        });
        said.collect()
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning { text, .. } => Some(text.as_str()),
            _ => None,
        });
        warnings.collect()
    }

    pub(crate) fn misses(&self) -> Vec<&Miss> {
        let misses = self.events.iter().filter_map(|event| match event {
            Event::Missed { miss, .. } => Some(miss),
            _ => None,
        });
        misses.collect()
    }

    /// What became of the offered artifacts.
    pub(crate) fn stored(&self) -> Vec<&Result<bool, String>> {
        let stored = self.events.iter().filter_map(|event| match event {
            Event::Stored { result, .. } => Some(result),
            _ => None,
        });
        stored.collect()
    }

    /// Hits, misses, failed fetches, stored, failed updates.
    pub(crate) fn cache(&self) -> [usize; 5] {
        let cache = &self.report.cache;
        [cache.hits, cache.misses, cache.failed_fetches, cache.stored, cache.failed_updates]
    }

    /// How often a task was said to be finished.
    pub(crate) fn finished(&self, task: &str) -> usize {
        let is_end = |event: &&Event| matches!(event, Event::TaskFinished { task: name, .. } if **name == *task);
        self.events.iter().filter(is_end).count()
    }
}

/// How a task of a report ended.
pub(crate) fn outcome<'r>(report: &'r Report, task: &str) -> &'r Outcome {
    &report.tasks.iter().find(|report| report.name == task).unwrap().outcome
}
