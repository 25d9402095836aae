//! The engine: a project, the caller's choices, and a run of the two.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::clean::{self, Clean, Cleaned};
use super::event::{Event, Outcome};
use super::executor::{self, Ended};
use super::install::{InstallOptions, Installer, Verdict};
use super::observers::Observers;
use super::preview::Preview;
use super::report::{Report, TaskReport};
use super::settings::Settings;
use super::shared::Shared;
use super::source::Supply;
use super::state::State;
use super::summary;
use super::survey::Survey;
use super::work_dir::WorkDir;
use crate::cache::{CacheMode, CachePolicy, Callbacks, Trees};
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::detect::detect;
use crate::host::download::Network;
use crate::host::lock::{Lock, Wait};
use crate::host::many;
use crate::model::{Platform, Project, Task};
use crate::plan::{Graph, Plan};

/// The variables of the caller's environment by which git finds repositories that are not public.
const GIT_ENV: [&str; 6] = ["PATH", "HOME", "SSH_AUTH_SOCK", "https_proxy", "http_proxy", "no_proxy"];

/// Runs a project.
///
/// ```no_run
/// # fn main() -> cortado::Result<()> {
/// # let project = cortado::Project::new("shop").install_dir("/opt/shop").work_dir("/var/cache/shop").build()?;
/// let report = cortado::Engine::new(&project)
///     .store(cortado::DirectoryStore::open("/var/cache/artifacts")?)
///     .observe(|event| eprintln!("{event}"))
///     .run()?
///     .check()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an engine does nothing until it is run"]
pub struct Engine<'p> {
    project: &'p Project,
    settings: Settings,
    observers: Observers,
}

impl<'p> Engine<'p> {
    /// An engine for a project: all tasks, as many workers as there are cores, no callbacks, no observers.
    pub fn new(project: &'p Project) -> Self {
        Self { project, settings: Settings::default(), observers: Observers::default() }
    }

    /// Runs only the named tasks and their upstreams.
    pub fn only<N: Into<String>>(mut self, tasks: impl IntoIterator<Item = N>) -> Self {
        self.settings.filter.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// How many tasks run at once, and how many jobs `make` may run in all of them together.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.settings.jobs = jobs;
        self
    }

    /// Whether the rest goes on when a task fails; unless said, what is running is stopped.
    pub fn keep_going(mut self, wanted: bool) -> Self {
        self.settings.keep_going = wanted;
        self
    }

    /// Where artifacts come from and go to.
    pub fn callbacks(mut self, callbacks: impl Callbacks + 'static) -> Self {
        self.settings.callbacks = Some(Arc::new(callbacks));
        self
    }

    /// Like [`callbacks`](Engine::callbacks), shared with someone else.
    pub fn shared_callbacks(mut self, callbacks: Arc<dyn Callbacks>) -> Self {
        self.settings.callbacks = Some(callbacks);
        self
    }

    /// A store as callbacks.
    pub fn store(self, store: impl crate::cache::Store + 'static) -> Self {
        self.callbacks(store)
    }

    /// Which way artifacts travel.
    pub fn cache_mode(mut self, mode: CacheMode) -> Self {
        self.settings.cache_mode = mode;
        self
    }

    /// What a failing cache means for the run.
    pub fn cache_policy(mut self, policy: CachePolicy) -> Self {
        self.settings.cache_policy = policy;
        self
    }

    /// Adds a directory that is searched for sources, by checksum, before the network.
    pub fn sources(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.mirrors.push(dir.into());
        self
    }

    /// Forbids the network.
    pub fn offline(mut self, wanted: bool) -> Self {
        self.settings.offline = wanted;
        self
    }

    /// A PEM file of certificate authorities to trust instead of the built-in ones.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.ca_file = Some(path.into());
        self
    }

    /// The HTTP proxy for sources: `http://user:password@host:port`.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.settings.proxy = Some(url.into());
        self
    }

    /// The caller's environment, from which projects and tasks may hand variables on. Empty unless given: the engine
    /// does not read the process's own.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.settings.ambient = variables.into_iter().collect::<BTreeMap<_, _>>();
        self
    }

    /// The platform to plan for, instead of this machine's.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.settings.platform = Some(platform);
        self
    }

    /// What to do while another build uses the work directory; waits unless said.
    pub fn wait(mut self, wait: Wait) -> Self {
        self.settings.wait = wait;
        self
    }

    /// What others see as the holder of the work directory: the command that runs, say.
    pub fn holder(mut self, text: impl Into<String>) -> Self {
        self.settings.holder = text.into();
        self
    }

    /// Whether installed files replace those that belong to no task; refused unless said.
    pub fn replace_unowned(mut self, wanted: bool) -> Self {
        self.settings.replace_unowned = wanted;
        self
    }

    /// How hard artifacts are compressed: 1 (fast, unless said) to 12 (small).
    pub fn compression_level(mut self, level: u32) -> Self {
        self.settings.compression_level = level;
        self
    }

    /// How long a tree that no run uses stays on this machine; 14 days unless said.
    pub fn keep_trees(mut self, age: Duration) -> Self {
        self.settings.keep_trees = age;
        self
    }

    /// The token by which the caller can stop the run.
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.settings.cancel = cancel.clone();
        self
    }

    /// Adds an observer. It is called for each event, one at a time, from whichever thread the event happened on; a
    /// slow one slows the run down.
    pub fn observe(mut self, observer: impl FnMut(&Event) + Send + 'static) -> Self {
        self.observers.add(Box::new(observer));
        self
    }

    /// What a run would do, without doing it. Nothing is written, locked or fetched, except that the branch or tag of
    /// a git source is looked up.
    ///
    /// # Errors
    /// A project that cannot be planned, an input that cannot be read.
    pub fn preview(&self) -> Result<Preview<'p>> {
        self.check()?;
        let state =
            Mutex::new(State::look(&WorkDir::look(self.project.work_dir()).state(), self.project.install_dir())?);
        let graph = Graph::new(self.project)?;
        let selection = graph.select(&self.settings.filter)?;
        let plan = self.plan(&graph, &selection, &state)?;
        Preview::new(plan, &self.settings, &state)
    }

    /// Runs the project. Tasks that fail do not make this an error: see [`Report::check`].
    ///
    /// # Errors
    /// Whatever keeps the run from taking place: a project that cannot be planned, a work directory that is not ours
    /// or in use, an input that cannot be read.
    pub fn run(self) -> Result<Report> {
        self.check()?;
        let start = Instant::now();
        // A project that cannot be planned is refused before anything is made.
        let graph = Graph::new(self.project)?;
        let selection = graph.select(&self.settings.filter)?;
        self.observers.tell(&Event::RunStarted { tasks: selection.len(), jobs: self.settings.jobs });
        let report = self.run_locked(&graph, &selection, start);
        let success = report.as_ref().is_ok_and(Report::success);
        self.observers.tell(&Event::RunFinished { success, duration: start.elapsed() });
        report
    }

    /// The run between its first event and its last.
    fn run_locked(&self, graph: &Graph<'p>, selection: &[usize], start: Instant) -> Result<Report> {
        let dir = WorkDir::open(self.project.work_dir())?;
        let _lock = self.lock(&dir)?;
        let state = State::open(&dir.state(), self.project.install_dir())?;
        if state.dropped() > 0 {
            let text = format!("`{}` was damaged: what was installed last may be unknown", dir.state().display());
            self.observers.tell(&Event::Warning { task: None, text });
        }
        let state = Mutex::new(state);
        let plan = self.plan(graph, selection, &state)?;
        self.carry_out(&plan, dir, &state, start)
    }

    /// Takes away what runs of the project have made: installed files by their records, and what `what` names of the
    /// work directory.
    ///
    /// # Errors
    /// A directory that is not a work directory of ours or is in use; something that cannot be removed.
    pub fn clean(&self, what: &Clean) -> Result<Cleaned> {
        let Some(dir) = WorkDir::present(self.project.work_dir())? else { return Ok(Cleaned::default()) };
        let _lock = match what.is_dry_run() {
            true => None,
            false => Some(self.lock(&dir)?),
        };
        // Opening a state makes one, which would have to be removed again.
        let state = match what.is_dry_run() || !dir.state().exists() {
            true => State::look(&dir.state(), self.project.install_dir())?,
            false => State::open(&dir.state(), self.project.install_dir())?,
        };
        let state = Mutex::new(state);
        let options = InstallOptions { install_dir: self.project.install_dir.clone(), ..InstallOptions::default() };
        clean::clean(what, self.project, &dir, &Installer::new(options, &state), &state)
    }

    fn lock(&self, dir: &WorkDir) -> Result<Lock> {
        dir.lock(self.settings.wait, &self.settings.holder, &self.settings.cancel, &mut |holder| {
            let text = format!("waiting for `{}`, which is in use by {holder}", self.project.work_dir().display());
            self.observers.tell(&Event::Warning { task: None, text });
        })
    }

    fn check(&self) -> Result<()> {
        match self.settings.jobs {
            0 => Err(Error::Invalid {
                place: "jobs".into(),
                problem: "a run needs at least one worker".into(),
                hint: "give 1 or more".into(),
            }),
            _ => Ok(()),
        }
    }

    fn plan(&self, graph: &Graph<'p>, selection: &[usize], state: &Mutex<State>) -> Result<Plan<'p>> {
        let detected;
        let platform = match &self.settings.platform {
            Some(platform) => platform,
            None => {
                detected = detect(Path::new("/"));
                &detected
            }
        };
        let survey = Survey {
            project: self.project,
            platform,
            state,
            cancel: &self.settings.cancel,
            supply: &self.supply(&WorkDir::look(self.project.work_dir())),
        };
        Plan::new(graph, selection, survey.take(selection)?)
    }

    fn carry_out(&self, plan: &Plan<'_>, dir: WorkDir, state: &Mutex<State>, start: Instant) -> Result<Report> {
        let installer = Installer::new(self.install_options(plan)?, state);
        self.remove_departed(&installer, state)?;
        let current = self.current(plan, &installer)?;
        let idle = current.iter().all(|current| *current);
        let trees = Trees::open(&dir.trees())?;
        if !idle {
            dir.sweep(&self.project.tasks().iter().map(Task::name).collect())?;
            trees.sweep()?;
        }
        let supply = self.supply(&dir);
        let shared = Shared::new(plan, &self.settings, dir, state, trees, installer, supply, &self.observers);
        let ended = executor::execute(&shared, &current);
        let sound = plan.tasks().iter().zip(&ended).filter(|(_, ended)| ended.outcome.is_success());
        let sound = sound.map(|(task, _)| task.name()).collect();
        shared.installer.observe(&shared.spans.lock().unwrap_or_else(PoisonError::into_inner), &sound)?;
        let report = self.report(&shared, ended, start);
        if report.success() {
            self.conclude(&shared, idle)?;
        }
        Ok(report)
    }

    /// Of each task, whether it and everything upstream of it is installed as planned, and stays so. Direct tasks that
    /// are going to run are made ready for that first.
    fn current(&self, plan: &Plan<'_>, installer: &Installer<'_>) -> Result<Vec<bool>> {
        if self.settings.cache_mode == CacheMode::Recache {
            return Ok(vec![false; plan.tasks().len()]);
        }
        let current = self.intact(plan, installer);
        let direct = plan.tasks().iter().zip(&current).filter(|(task, _)| !self.project.caches(task.task()));
        let mut running = direct.filter(|(_, current)| !**current).peekable();
        if running.peek().is_none() {
            return Ok(current);
        }
        running.try_for_each(|(task, _)| installer.renew(task.name()))?;
        Ok(self.intact(plan, installer))
    }

    fn intact(&self, plan: &Plan<'_>, installer: &Installer<'_>) -> Vec<bool> {
        let mut intact = many::map(plan.tasks(), |task| {
            installer.verify(task.name(), task.tag(), &task.task().overrides) == Verdict::Intact
        });
        for (position, task) in plan.tasks().iter().enumerate() {
            intact[position] &= task.upstreams().iter().all(|upstream| intact[*upstream]);
        }
        intact
    }

    /// What is left to do once every task has ended well; after an `idle` run no tree has become old.
    fn conclude(&self, shared: &Shared<'_>, idle: bool) -> Result<()> {
        let text = {
            let state = shared.state();
            let complete = |name: &str| state.installed(name).is_some_and(|installed| installed.complete);
            let installed = |task: &&Task| shared.plan.task(task.name()).is_some() || complete(task.name());
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
        let keep = shared.plan.tasks().iter().map(|task| task.tag().to_owned()).collect();
        shared.trees.prune(&keep, self.settings.keep_trees, std::time::SystemTime::now()).map(drop)
    }

    /// Takes away what tasks have installed that are in the project no more.
    fn remove_departed(&self, installer: &Installer<'_>, state: &Mutex<State>) -> Result<()> {
        let installed: Vec<String> = {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.all_installed().map(|(task, _)| task.to_owned()).collect()
        };
        let known: HashSet<_> = self.project.tasks().iter().map(Task::name).collect();
        let departed = installed.iter().filter(|task| !known.contains(task.as_str()));
        departed.map(|task| installer.remove(task)).try_for_each(|removed| removed.map(drop))
    }

    fn install_options(&self, plan: &Plan<'_>) -> Result<InstallOptions> {
        let mut extra_files = globset::GlobSetBuilder::new();
        for pattern in &self.project.extra_files {
            extra_files.add(globset::Glob::new(pattern).map_err(|error| Error::Invalid {
                place: "extra_files".into(),
                problem: error.to_string(),
                hint: String::new(),
            })?);
        }
        Ok(InstallOptions {
            install_dir: self.project.install_dir.clone(),
            work_dir: self.project.work_dir.clone(),
            extra_files: extra_files.build().unwrap_or_default(),
            link_mode: self.project.link_mode,
            replace_unowned: self.settings.replace_unowned,
            planned: plan.tasks().iter().map(|task| (task.name().to_owned(), task.tag().to_owned())).collect(),
        })
    }

    fn supply(&self, dir: &WorkDir) -> Supply {
        let network = Network {
            offline: self.settings.offline,
            ca_file: self.settings.ca_file.clone(),
            proxy: self.settings.proxy.clone(),
            ..Network::default()
        };
        let git_env = GIT_ENV.iter().filter_map(|name| {
            let value = self.settings.ambient.get(std::ffi::OsStr::new(name))?;
            Some(((*name).to_owned(), value.to_str()?.to_owned()))
        });
        Supply { mirrors: self.settings.mirrors.clone(), network, cache_dir: dir.sources(), git_env: git_env.collect() }
    }

    fn report(&self, shared: &Shared<'_>, ended: Vec<Ended>, start: Instant) -> Report {
        let tasks = shared.plan.tasks().iter().zip(ended).map(|(task, ended)| {
            let spared = ended.outcome.is_success() && ended.outcome != Outcome::Built;
            let saved = shared.state().duration(task.name()).filter(|_| spared).unwrap_or_default();
            TaskReport {
                name: task.name().to_owned(),
                tag: task.tag().to_owned(),
                shasum: task.shasum(),
                log: Some(shared.dir.log(task.name())).filter(|log| was_worked_on(&ended.outcome) && log.exists()),
                outcome: ended.outcome,
                duration: ended.duration,
                saved,
                error: ended.error,
            }
        });
        let tasks: Vec<TaskReport> = tasks.collect();
        // A token that was cancelled when all was done has interrupted nothing.
        let interrupted = self.settings.cancel.is_cancelled() && tasks.iter().any(|task| !task.outcome.is_success());
        Report {
            project: self.project.name().to_owned(),
            tasks,
            cache: shared.tally.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            duration: start.elapsed(),
            interrupted,
        }
    }
}

/// Whether steps of a task may have run, and so written a log.
fn was_worked_on(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Built | Outcome::Failed { .. } | Outcome::Cancelled)
}
