//! The course of a run: from its plan to its report.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::debt::Debt;
use super::ended::Ended;
use super::event::{Event, Outcome};
use super::executor;
use super::glance::{self, Glance};
use super::idle;
use super::install::{Expected, InstallOptions, Installer};
use super::observers::Observers;
use super::owed::Owed;
use super::report::{CacheReport, Report, TaskReport};
use super::settings::Settings;
use super::shared::{Shared, stages};
use super::source::Supply;
use super::state::State;
use super::summary;
use super::work_dir::WorkDir;
use crate::cache::{CacheMode, Trees};
use crate::error::Result;
use crate::host::process::stragglers;
use crate::model::{Project, Task, pattern_set};
use crate::plan::{Plan, PlannedTask};

/// One run of a plan, in a work directory that this process holds.
pub(super) struct Course<'c> {
    pub(super) project: &'c Project,
    pub(super) settings: &'c Settings,
    pub(super) observers: &'c Observers,
    pub(super) plan: &'c Plan<'c>,
    pub(super) state: &'c Mutex<State>,
    /// What was seen while the plan was made, if somebody has looked.
    pub(super) glance: Option<Glance>,
}

impl Course<'_> {
    /// Runs the plan to its end. There is no report if there was nothing to do. Beside it comes the licence summary, if
    /// it is one of ours.
    pub(super) fn run(&self, dir: WorkDir, supply: Supply, start: Instant) -> Result<(Option<Report>, Option<String>)> {
        let mut installer = Installer::new(self.install_options()?, self.state);
        let departed = self.remove_departed(&installer)?;
        let mut current = self.current(&installer, departed)?;
        let debts = self.debts(&dir);
        let idle = current.iter().all(|current| *current) && debts.is_empty();
        if idle && !dir.has_leftovers() {
            return Ok((None, self.rest(&installer)?));
        }
        installer.expect(self.plan.tasks().iter().map(|task| (task.name(), task.tag())));
        let trees = Trees::open(&dir.trees())?;
        let unfinished = dir.begin()?;
        if unfinished {
            self.end_stragglers(&dir);
        }
        dir.sweep(|task| self.plan.knows(task))?;
        if unfinished {
            dir.sweep_drafts()?;
            trees.sweep()?;
            summary::sweep(self.project)?;
        }
        if idle {
            dir.end()?;
            return Ok((None, self.rest(&installer)?));
        }
        let mut shared =
            Shared::new(self.plan, self.settings, dir, self.state, trees, installer, supply, self.observers);
        shared.check_cache()?;
        let debts = self.press(&mut shared, debts, &mut current);
        let ended = executor::execute(&shared, &current, debts);
        let sound = self.plan.tasks().iter().zip(&ended).filter(|(_, ended)| ended.outcome.is_success());
        let sound = sound.map(|(task, _)| task.name()).collect();
        shared.installer.observe(&shared.spans.lock().unwrap_or_else(PoisonError::into_inner), &sound)?;
        let owed = self.close_debts(&shared);
        let mut report = self.report(&shared, ended, start);
        report.cache.owed = owed;
        shared.state().tidy()?;
        let mut summary = None;
        if report.tasks.iter().all(|task| task.outcome.is_success()) {
            summary = self.summarize(&shared.installer)?;
            self.prune(&shared.dir, &shared.trees)?;
            self.tidy(&shared)?;
            shared.dir.end()?;
        }
        Ok((Some(report), summary))
    }

    /// Ends what a killed run has left running: it would write where the tasks of this one do.
    fn end_stragglers(&self, dir: &WorkDir) {
        if stragglers::end(&dir.homes()) {
            let text = "ended the programs that a killed build had left running".to_owned();
            self.observers.tell(&Event::Warning { task: None, text });
        }
    }

    /// What earlier runs owe the cache and this one offers again, by the tasks' positions.
    fn debts(&self, dir: &WorkDir) -> HashMap<usize, Debt> {
        let mode = self.settings.cache_mode;
        if self.settings.callbacks.is_none() || !mode.writes() || mode == CacheMode::Recache {
            return HashMap::new();
        }
        let planned = |tag: &str, debt: &Debt| {
            let task = self.plan.task(&debt.task).filter(|task| task.tag() == tag);
            task.is_some_and(|task| stages(self.project, task.task()))
        };
        let due = Owed::new(dir.owed()).due(SystemTime::now(), planned).unwrap_or_else(|error| {
            self.observers.tell(&Event::Warning { task: None, text: error.to_string() });
            Vec::new()
        });
        if due.is_empty() {
            return HashMap::new();
        }
        let mut due: HashMap<_, _> = due.into_iter().collect();
        let tasks = self.plan.tasks().iter().enumerate();
        tasks.filter_map(|(position, task)| Some((position, due.remove(task.tag())?))).collect()
    }

    /// Takes out of the debts those that have to be paid for their task to end well: a worker leads it to that.
    fn press(
        &self,
        shared: &mut Shared<'_>,
        debts: HashMap<usize, Debt>,
        current: &mut [bool],
    ) -> HashMap<usize, Debt> {
        let (all, some) = (self.settings.cache_policy.requires_write(), shared.exchange.requires_write());
        let (pressing, debts) = debts.into_iter().partition(|(_, debt)| all || some && debt.tiers.is_empty());
        for (position, debt) in HashMap::<_, _>::into_iter(pressing) {
            current[position] = false;
            shared.pressing.insert(self.plan.tasks()[position].tag().to_owned(), debt);
        }
        debts
    }

    /// Forgets what is owed of tasks that have left the project, and of trees that are gone; how much is left.
    fn close_debts(&self, shared: &Shared<'_>) -> usize {
        let trees = shared.dir.trees();
        let stands = |tag: &str, debt: &Debt| self.plan.knows(&debt.task) && Trees::holds(&trees, tag);
        shared.owed.close(stands).unwrap_or_else(|error| {
            self.observers.tell(&Event::Warning { task: None, text: error.to_string() });
            0
        })
    }

    fn prune(&self, dir: &WorkDir, trees: &Trees) -> Result<()> {
        let (age, now) = (self.settings.keep_trees, SystemTime::now());
        if dir.is_prune_due(age, now) {
            let keep = self.plan.tasks().iter().map(|task| task.tag().to_owned()).collect();
            trees.prune(&keep, age, now)?;
            dir.note_prune(now)?;
        }
        Ok(())
    }

    /// Of tasks that are not in this plan nobody knows what they need.
    fn tidy(&self, shared: &Shared<'_>) -> Result<()> {
        if self.plan.tasks().len() < self.project.tasks().len() {
            return Ok(());
        }
        shared.artifacts.tidy(self.plan.tasks().len(), || {
            let mut needed = shared.trees.tags()?;
            needed.extend(self.plan.tasks().iter().map(|task| task.tag().to_owned()));
            Ok(needed)
        })
    }

    /// A run with nothing to do. No tree has become old by it.
    fn rest(&self, installer: &Installer<'_>) -> Result<Option<String>> {
        idle::tell(self.plan.tasks().iter().map(PlannedTask::name), self.observers);
        self.summarize(installer)
    }

    /// Of each task, whether it and everything upstream of it is installed as planned, and stays so. Direct tasks that
    /// are going to run are made ready for that first.
    fn current(&self, installer: &Installer<'_>, departed: bool) -> Result<Vec<bool>> {
        let tasks = self.plan.tasks();
        let mut current = match &self.glance {
            _ if self.settings.cache_mode == CacheMode::Recache => vec![false; tasks.len()],
            // Whatever a task has left behind may have been another's before.
            Some(glance) if !departed => self.with_upstreams(self.as_seen(glance)),
            _ => self.intact(installer),
        };
        // What is current stays as it is, and gives nothing back.
        let changing = tasks.iter().zip(&current).filter(|(_, current)| !**current);
        let given = installer.give_back(changing.map(|(task, _)| expected(task)))?;
        if self.settings.cache_mode == CacheMode::Recache {
            return Ok(current);
        }
        if given {
            current = self.intact(installer);
        }
        let direct = self.plan.tasks().iter().zip(&current).filter(|(task, _)| !self.project.caches(task.task()));
        let mut running = direct.filter(|(_, current)| !**current).peekable();
        if running.peek().is_none() {
            return Ok(current);
        }
        running.try_for_each(|(task, _)| installer.renew(task.name()))?;
        Ok(self.intact(installer))
    }

    fn intact(&self, installer: &Installer<'_>) -> Vec<bool> {
        self.with_upstreams(installer.intact(self.plan.tasks(), expected))
    }

    fn as_seen(&self, glance: &Glance) -> Vec<bool> {
        let tasks = self.plan.tasks().iter().zip(&glance.tasks);
        tasks.map(|(task, seen)| seen.intact == Some(task.shasum())).collect()
    }

    /// A task stands no longer than those that it was made with.
    fn with_upstreams(&self, mut intact: Vec<bool>) -> Vec<bool> {
        for (position, task) in self.plan.tasks().iter().enumerate() {
            intact[position] &= task.upstreams().iter().all(|upstream| intact[*upstream]);
        }
        intact
    }

    /// Writes the licence summary, unless it is there already or a task has a file of its own in its place.
    fn summarize(&self, installer: &Installer<'_>) -> Result<Option<String>> {
        let text = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let complete = |name: &str| state.record(name).is_some_and(|record| record.complete);
            let all = self.plan.tasks().len() == self.project.tasks().len();
            let installed = |task: &&Task| all || self.plan.task(task.name()).is_some() || complete(task.name());
            summary::text(self.project, self.project.tasks().iter().filter(installed))
        };
        if !summary::is_written(self.project, &text)? {
            match installer.owner(&self.project.license_summary()) {
                None => summary::write(self.project, &text)?,
                Some(owner) => {
                    self.observers.tell(&summary::not_written(self.project, owner.into()));
                    return Ok(None);
                }
            }
        }
        Ok(Some(text))
    }

    /// Takes away what tasks have installed that are in the project no more. Returns whether there were any.
    fn remove_departed(&self, installer: &Installer<'_>) -> Result<bool> {
        let departed = match &self.glance {
            Some(glance) => Cow::Borrowed(&glance.departed),
            None => Cow::Owned(glance::departed(|name| self.plan.knows(name), self.state)),
        };
        departed.iter().try_for_each(|task| installer.remove(task).map(drop))?;
        Ok(!departed.is_empty())
    }

    fn install_options(&self) -> Result<InstallOptions> {
        Ok(InstallOptions {
            install_dir: self.project.install_dir.clone(),
            work_dir: self.project.work_dir.clone(),
            extra_files: pattern_set("extra_files", &self.project.extra_files)?,
            link_mode: self.project.link_mode,
            replace_unowned: self.settings.replace_unowned,
        })
    }

    fn report(&self, shared: &Shared<'_>, ended: Vec<Ended>, start: Instant) -> Report {
        let (traffic, state) = (shared.traffic(), shared.state());
        let tasks = self.plan.tasks().iter().zip(ended).map(|(task, ended)| {
            let spared = ended.outcome.is_success() && ended.outcome != Outcome::Built;
            let traffic = traffic.of(task.name()).cloned().unwrap_or_default();
            let known = state.duration(task.name());
            let saved = known.or_else(|| traffic.looks.iter().find_map(|look| look.saved));
            let saved = saved.filter(|_| spared).unwrap_or_default();
            TaskReport {
                name: task.name().to_owned(),
                tag: task.tag().to_owned(),
                shasum: task.shasum(),
                log: log(&ended.outcome, || shared.dir.log(task.name())),
                outcome: ended.outcome,
                duration: ended.duration,
                saved,
                error: ended.error.map(Box::new),
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

fn expected<'t>(task: &'t PlannedTask<'_>) -> Expected<'t> {
    Expected { task: task.name(), tag: task.tag(), overrides: &task.task().particulars().overrides }
}

/// The log of a task, if steps of it may have run.
fn log(outcome: &Outcome, path: impl Fn() -> PathBuf) -> Option<PathBuf> {
    let was_worked_on = matches!(outcome, Outcome::Built | Outcome::Failed { .. } | Outcome::Cancelled);
    was_worked_on.then(path).filter(|log| log.exists())
}
