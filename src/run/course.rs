//! The course of a run: from its plan to its report.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::event::Outcome;
use super::executor::{self, Ended};
use super::install::{InstallOptions, Installer, Verdict};
use super::observers::Observers;
use super::report::{CacheReport, Report, TaskReport};
use super::settings::Settings;
use super::shared::Shared;
use super::source::Supply;
use super::state::State;
use super::summary;
use super::work_dir::WorkDir;
use crate::cache::{CacheMode, Trees};
use crate::error::Result;
use crate::host::many;
use crate::model::{Project, Task, pattern_set};
use crate::plan::Plan;

/// One run of a plan, in a work directory that this process holds.
pub(super) struct Course<'c> {
    pub(super) project: &'c Project,
    pub(super) settings: &'c Settings,
    pub(super) observers: &'c Observers,
    pub(super) plan: &'c Plan<'c>,
    pub(super) state: &'c Mutex<State>,
}

impl Course<'_> {
    /// Runs the plan to its end.
    pub(super) fn run(&self, dir: WorkDir, supply: Supply, start: Instant) -> Result<Report> {
        let installer = Installer::new(self.install_options()?, self.state);
        self.remove_departed(&installer)?;
        let current = self.current(&installer)?;
        let idle = current.iter().all(|current| *current);
        let trees = Trees::open(&dir.trees())?;
        if !idle || dir.has_leftovers() {
            dir.sweep(&self.project.tasks().iter().map(Task::name).collect())?;
            trees.sweep()?;
        }
        let shared = Shared::new(self.plan, self.settings, dir, self.state, trees, installer, supply, self.observers);
        if !idle {
            shared.check_cache()?;
        }
        let ended = executor::execute(&shared, &current);
        let sound = self.plan.tasks().iter().zip(&ended).filter(|(_, ended)| ended.outcome.is_success());
        let sound = sound.map(|(task, _)| task.name()).collect();
        shared.installer.observe(&shared.spans.lock().unwrap_or_else(PoisonError::into_inner), &sound)?;
        let report = self.report(&shared, ended, start);
        if report.tasks.iter().all(|task| task.outcome.is_success()) {
            self.conclude(&shared, idle)?;
        }
        Ok(report)
    }

    /// Of each task, whether it and everything upstream of it is installed as planned, and stays so. Direct tasks that
    /// are going to run are made ready for that first.
    fn current(&self, installer: &Installer<'_>) -> Result<Vec<bool>> {
        if self.settings.cache_mode == CacheMode::Recache {
            return Ok(vec![false; self.plan.tasks().len()]);
        }
        let current = self.intact(installer);
        let direct = self.plan.tasks().iter().zip(&current).filter(|(task, _)| !self.project.caches(task.task()));
        let mut running = direct.filter(|(_, current)| !**current).peekable();
        if running.peek().is_none() {
            return Ok(current);
        }
        running.try_for_each(|(task, _)| installer.renew(task.name()))?;
        Ok(self.intact(installer))
    }

    fn intact(&self, installer: &Installer<'_>) -> Vec<bool> {
        let mut intact = many::map(self.plan.tasks(), |task| {
            installer.verify(task.name(), task.tag(), &task.task().overrides) == Verdict::Intact
        });
        for (position, task) in self.plan.tasks().iter().enumerate() {
            intact[position] &= task.upstreams().iter().all(|upstream| intact[*upstream]);
        }
        intact
    }

    /// What is left to do once every task has ended well; after an `idle` run no tree has become old.
    fn conclude(&self, shared: &Shared<'_>, idle: bool) -> Result<()> {
        let text = {
            let state = shared.state();
            let complete = |name: &str| state.installed(name).is_some_and(|installed| installed.complete);
            let installed = |task: &&Task| self.plan.task(task.name()).is_some() || complete(task.name());
            summary::text(self.project, self.project.tasks().iter().filter(installed))
        };
        if !summary::is_written(self.project, &text)? {
            match shared.installer.owner(&self.project.license_summary()) {
                None => summary::write(self.project, &text)?,
                Some(owner) => shared.tell(summary::not_written(self.project, owner.into())),
            }
        }
        if idle {
            return Ok(());
        }
        let keep = self.plan.tasks().iter().map(|task| task.tag().to_owned()).collect();
        shared.trees.prune(&keep, self.settings.keep_trees, SystemTime::now()).map(drop)
    }

    /// Takes away what tasks have installed that are in the project no more.
    fn remove_departed(&self, installer: &Installer<'_>) -> Result<()> {
        let installed: Vec<String> = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.installed_tasks().map(str::to_owned).collect()
        };
        let known: HashSet<_> = self.project.tasks().iter().map(Task::name).collect();
        let departed = installed.iter().filter(|task| !known.contains(task.as_str()));
        departed.map(|task| installer.remove(task)).try_for_each(|removed| removed.map(drop))
    }

    fn install_options(&self) -> Result<InstallOptions> {
        Ok(InstallOptions {
            install_dir: self.project.install_dir.clone(),
            work_dir: self.project.work_dir.clone(),
            extra_files: pattern_set("extra_files", &self.project.extra_files)?,
            link_mode: self.project.link_mode,
            replace_unowned: self.settings.replace_unowned,
            planned: self.plan.tasks().iter().map(|task| (task.name().to_owned(), task.tag().to_owned())).collect(),
        })
    }

    fn report(&self, shared: &Shared<'_>, ended: Vec<Ended>, start: Instant) -> Report {
        let traffic = shared.traffic();
        let tasks = self.plan.tasks().iter().zip(ended).map(|(task, ended)| {
            let spared = ended.outcome.is_success() && ended.outcome != Outcome::Built;
            let traffic = traffic.of(task.name()).cloned().unwrap_or_default();
            let known = shared.state().duration(task.name());
            let saved = known.or_else(|| traffic.looks.iter().find_map(|look| look.saved));
            let saved = saved.filter(|_| spared).unwrap_or_default();
            TaskReport {
                name: task.name().to_owned(),
                tag: task.tag().to_owned(),
                shasum: task.shasum(),
                log: Some(shared.dir.log(task.name())).filter(|log| was_worked_on(&ended.outcome) && log.exists()),
                outcome: ended.outcome,
                duration: ended.duration,
                saved,
                error: ended.error,
                looks: traffic.looks,
                offers: traffic.offers,
            }
        });
        let tasks: Vec<TaskReport> = tasks.collect();
        // A token that was cancelled when all was done has interrupted nothing.
        let undone = shared.left_unkept() || tasks.iter().any(|task| !task.outcome.is_success());
        let interrupted = self.settings.cancel.is_cancelled() && undone;
        Report {
            project: self.project.name().to_owned(),
            tasks,
            cache: CacheReport { tiers: traffic.tiers(shared.exchange.tiers()), ..shared.tally() },
            duration: start.elapsed(),
            interrupted,
        }
    }
}

/// Whether steps of a task may have run, and so written a log.
fn was_worked_on(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Built | Outcome::Failed { .. } | Outcome::Cancelled)
}
