//! Rows of tables, out of what a survey and the history know.

use serde::Serialize;

use super::words::seconds;
use crate::server::history::{Counts, Tally};
use crate::server::survey::{Group, Task};

use super::chart::Tallied;

/// Writers that a row names.
const WRITERS: usize = 4;

/// A project, a task or a protocol.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Its name; `None` for what says nothing of itself.
    pub(super) name: Option<String>,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    used: Option<u64>,
    stored: Option<u64>,
    writers: Vec<String>,
    has_more_writers: bool,
    /// Requests of the last 30 days.
    pub(super) asked: Tallied,
}

impl Row {
    pub(super) fn new(name: Option<&str>, group: &Group, asked: Tally) -> Self {
        let writers = group.by_work();
        Self {
            name: name.map(str::to_owned),
            objects: group.objects,
            bytes: group.bytes,
            used: seconds(group.used),
            stored: seconds(group.stored),
            has_more_writers: group.has_more_writers || writers.len() > WRITERS,
            writers: writers.into_iter().take(WRITERS).map(str::to_owned).collect(),
            asked: asked.into(),
        }
    }
}

/// What was asked for of some tasks in the last 30 days.
pub(super) fn asked<'a>(tasks: impl IntoIterator<Item = &'a Task>, counts: &Counts, now: u64) -> Tally {
    let mut sum = Tally::default();
    let subjects = tasks.into_iter().flat_map(|task| &task.subjects);
    subjects.for_each(|subject| sum.add(counts.of(subject, now)));
    sum
}

/// A row for each name, with its group and what was asked for of it; the largest first.
pub(super) fn rows<'a>(groups: impl Iterator<Item = (Option<&'a str>, &'a Group, Tally)>) -> Vec<Row> {
    let mut rows: Vec<_> = groups.map(|(name, group, asked)| Row::new(name, group, asked)).collect();
    rows.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.name.cmp(&other.name)));
    rows
}
