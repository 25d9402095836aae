//! The plan as a report: what a run would do with each task, and why.

use serde::Serialize;

use super::JSON_FORMAT;
use super::paint::{Ink, Paint};
use super::table::{Cell, table};
use crate::model::Digest;
use crate::plan::{Plan, PlannedTask};
use crate::run::{Action, Decision, Preview};
use crate::text;

/// What a run would do, as things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The project.
    pub project: String,
    /// The tasks of the plan, upstreams first.
    pub tasks: Vec<TaskPlan>,
}

/// What a run would do with one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskPlan {
    /// The task.
    pub name: String,
    /// Its tag: the name of its artifact without `.tar.gz`.
    pub tag: String,
    /// Its key.
    pub shasum: Digest,
    /// Its direct upstreams, sorted.
    pub dependencies: Vec<String>,
    /// What would be done, and why.
    #[serde(flatten)]
    pub decision: Decision,
}

impl PlanReport {
    /// The report of a preview.
    pub fn of(preview: &Preview<'_>) -> Self {
        let plan = preview.plan();
        let tasks = preview.tasks().map(|(task, decision)| TaskPlan::of(plan, task, decision)).collect();
        Self { format: JSON_FORMAT, project: plan.project().name().to_owned(), tasks }
    }

    /// The plan for people: a line for each task, and one about the whole.
    pub fn text(&self, paint: Paint) -> String {
        let rows: Vec<_> = self.tasks.iter().map(TaskPlan::row).collect();
        let todo = self.tasks.iter().filter(|task| task.decision.action != Action::UpToDate).count();
        let whole = match todo {
            0 => "nothing to do".to_owned(),
            todo => format!("{todo} of {} to do", text::count(self.tasks.len(), "task")),
        };
        format!("{}{}: {whole}\n", table(&rows, paint), self.project)
    }
}

impl TaskPlan {
    fn of(plan: &Plan<'_>, task: &PlannedTask<'_>, decision: &Decision) -> Self {
        let upstreams = task.upstreams().iter().filter_map(|upstream| plan.tasks().get(*upstream));
        Self {
            name: task.name().to_owned(),
            tag: task.tag().to_owned(),
            shasum: task.shasum(),
            dependencies: upstreams.map(|upstream| upstream.name().to_owned()).collect(),
            decision: decision.clone(),
        }
    }

    fn row(&self) -> Vec<Cell> {
        let (action, ink) = match self.decision.action {
            Action::UpToDate => ("up to date", Ink::Faint),
            Action::Install => ("install", Ink::Good),
            Action::RestoreOrBuild => ("restore or build", Ink::Warn),
            Action::Build => ("build", Ink::Warn),
        };
        let reason = match self.decision.action {
            Action::UpToDate => String::new(),
            _ => self.decision.reason.clone(),
        };
        vec![
            (self.name.clone(), Ink::Bold),
            (self.shasum.short(), Ink::Faint),
            (action.to_owned(), ink),
            (reason, Ink::Plain),
        ]
    }
}
