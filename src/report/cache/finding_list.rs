//! The finding list: what is wrong with a store, and what was done about it.

use serde::Serialize;

use crate::cache::{Finding, Flaw, Remedy};
use crate::report::JSON_FORMAT;
use crate::report::paint::{Ink, Paint};
use crate::report::table::{Cell, table};
use crate::text;

/// What was found in a store: damaged objects, or what does not belong there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FindingList {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The store's name.
    pub store: String,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// What was found.
    pub findings: Vec<Found>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Found {
    /// What has it: the name of an object, or a path below the store.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
    /// What is done about it; `None` where that is left to the user.
    pub remedy: Option<Remedy>,
}

impl FindingList {
    /// What reading every object has shown.
    pub fn of_flaws(store: impl Into<String>, flaws: impl IntoIterator<Item = Flaw>) -> Self {
        let found = |flaw: Flaw| Found { subject: flaw.name, problem: flaw.problem, remedy: None };
        let findings = flaws.into_iter().map(found).collect();
        Self { format: JSON_FORMAT, store: store.into(), dry_run: true, findings }
    }

    /// What looking at the store has shown.
    pub fn of_findings(store: impl Into<String>, dry_run: bool, findings: Vec<Finding>) -> Self {
        let found = |finding: Finding| Found {
            subject: finding.path.display().to_string(),
            problem: finding.problem,
            remedy: Some(finding.remedy),
        };
        let findings = findings.into_iter().map(found).collect();
        Self { format: JSON_FORMAT, store: store.into(), dry_run, findings }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// The list for people.
    pub fn text(&self, paint: Paint) -> String {
        let rows: Vec<_> = self.findings.iter().map(|found| found.row(self.dry_run)).collect();
        let count = match self.findings.len() {
            0 => "all is well".to_owned(),
            count => text::count(count, "problem"),
        };
        format!("{}{}: {count}\n", table(&rows, paint), self.store)
    }
}

impl Found {
    fn row(&self, dry_run: bool) -> Vec<Cell> {
        let remedy = match (self.remedy, dry_run) {
            (None, _) => "",
            (Some(Remedy::Removed), true) => "would be removed",
            (Some(Remedy::Removed), false) => "removed",
            (Some(Remedy::Rebuilt), true) => "would be made anew",
            (Some(Remedy::Rebuilt), false) => "made anew",
            (Some(_), _) => "left alone",
        };
        vec![(self.subject.clone(), Ink::Bold), (self.problem.clone(), Ink::Plain), (remedy.to_owned(), Ink::Faint)]
    }
}
