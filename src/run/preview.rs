//! The preview: what a run would do, task by task, looked at without doing anything.

use std::sync::Mutex;

use super::action::{Decision, Facts, decide};
use super::artifacts::Artifacts;
use super::histories::Histories;
use super::history::History;
use super::install::{InstallOptions, Installer};
use super::owed::Owed;
use super::settings::Settings;
use super::shared::stages;
use super::state::State;
use super::work_dir::WorkDir;
use crate::cache::{CacheMode, Trees};
use crate::error::Result;
use crate::model::Digest;
use crate::plan::{Plan, PlannedTask};

/// A plan with the action that a run would take for each task, as things stand.
#[derive(Debug)]
pub struct Preview<'p> {
    plan: Plan<'p>,
    decisions: Vec<Decision>,
    artifacts: Vec<Option<Digest>>,
    dir: WorkDir,
}

impl<'p> Preview<'p> {
    pub(crate) fn new(plan: Plan<'p>, settings: &Settings, state: &Mutex<State>) -> Result<Self> {
        let project = plan.project();
        let dir = WorkDir::look(project.work_dir());
        let options = InstallOptions { install_dir: project.install_dir.clone(), ..InstallOptions::default() };
        let installer = Installer::new(options, state);
        let facts = |task: &PlannedTask<'_>| Facts {
            staged: stages(project, task.task()),
            recache: settings.cache_mode == CacheMode::Recache,
            fetches: settings.callbacks.is_some() && settings.cache_mode.reads(),
            installed: installer.verify(task.name(), task.tag(), &task.task().particulars().overrides),
            tree: stages(project, task.task()) && Trees::holds(&dir.trees(), task.tag()),
        };
        let decisions = plan.tasks().iter().map(|task| decide(&facts(task))).collect();
        let artifacts = Artifacts::new(dir.artifacts()).look(plan.tasks().iter().map(PlannedTask::tag))?;
        Ok(Self { plan, decisions, artifacts, dir })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan<'p> {
        &self.plan
    }

    /// The tasks, upstreams first, each with what would be done.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = (&PlannedTask<'p>, &Decision)> {
        self.plan.tasks().iter().zip(&self.decisions)
    }

    /// The digests of the artifacts that this machine knows of, in the order of the tasks.
    pub fn artifacts(&self) -> &[Option<Digest>] {
        &self.artifacts
    }

    /// Whether a task's artifact is owed to the cache, because it was built here and could not be kept: the tiers that lack
    /// it, none where there are no tiers or none has answered.
    ///
    /// # Errors
    /// When what is remembered of that cannot be read.
    pub fn owed(&self, task: &PlannedTask<'_>) -> Result<Option<Vec<String>>> {
        Ok(Owed::new(self.dir.owed()).of(task.tag())?.map(|debt| debt.tiers))
    }

    /// What counted when a task was last built or restored here; `None` if it never was.
    ///
    /// # Errors
    /// When the record is there and cannot be read.
    pub fn history(&self, task: &PlannedTask<'_>) -> Result<Option<History>> {
        Histories::new(self.dir.histories()).of(task.name())
    }
}
