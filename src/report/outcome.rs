//! Outcomes for people: how each is counted and coloured.

use super::paint::Ink;
use crate::run::{Outcome, Report, TaskReport};

/// An outcome as a heading of the summary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// `built`.
    pub(super) word: &'static str,
    pub(super) ink: Ink,
    wanted: fn(&Outcome) -> bool,
}

/// In the order in which a summary names them.
pub(super) const KINDS: [Kind; 7] = [
    Kind { word: "built", ink: Ink::Good, wanted: |outcome| matches!(outcome, Outcome::Built) },
    Kind { word: "restored", ink: Ink::Good, wanted: |outcome| matches!(outcome, Outcome::Restored) },
    Kind { word: "installed", ink: Ink::Good, wanted: |outcome| matches!(outcome, Outcome::Installed) },
    Kind { word: "unchanged", ink: Ink::Faint, wanted: |outcome| matches!(outcome, Outcome::UpToDate) },
    Kind { word: "failed", ink: Ink::Bad, wanted: |outcome| matches!(outcome, Outcome::Failed { .. }) },
    Kind { word: "cancelled", ink: Ink::Warn, wanted: |outcome| matches!(outcome, Outcome::Cancelled) },
    Kind { word: "skipped", ink: Ink::Warn, wanted: |outcome| matches!(outcome, Outcome::Skipped { .. }) },
];

impl Kind {
    pub(super) fn of(outcome: &Outcome) -> Option<Kind> {
        KINDS.into_iter().find(|kind| (kind.wanted)(outcome))
    }

    /// The tasks of a run that ended in this way.
    pub(super) fn tasks(self, report: &Report) -> Vec<&TaskReport> {
        report.tasks.iter().filter(|task| (self.wanted)(&task.outcome)).collect()
    }
}
