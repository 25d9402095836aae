//! The engine: a project, the caller's choices, and a run of the two.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::clean::{self, Clean, Cleaned};
use super::course::Course;
use super::event::Event;
use super::glance::Glance;
use super::idle;
use super::install::{InstallOptions, Installer};
use super::observers::Observers;
use super::ours::Ours;
use super::preview::Preview;
use super::report::Report;
use super::settings::Settings;
use super::source::Supply;
use super::standing::{self, Origin};
use super::state::State;
use super::summary;
use super::survey::Survey;
use super::work_dir::WorkDir;
use crate::cache::{CacheMode, CachePolicy, Callbacks, Ledger, Provenance};
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::detect::detect_key;
use crate::host::lock::{Lock, Wait};
use crate::model::{Platform, PlatformKey, Project};
use crate::plan::{Graph, Plan};

/// Tasks for which it pays to look at what is installed while they are planned.
const MANY: usize = 256;

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
    pub(super) settings: Settings,
    pub(super) observers: Observers,
    /// Where the project comes from, if how things stand is to be kept.
    origin: Option<Origin>,
}

impl<'p> Engine<'p> {
    /// An engine for a project: all tasks, as many workers as there are cores, no callbacks, no observers.
    pub fn new(project: &'p Project) -> Self {
        Self { project, settings: Settings::default(), observers: Observers::default(), origin: None }
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

    /// How many artifacts and sources are on their way at once, beside the tasks that run; 8 unless said. They wait for
    /// others more than they work, so this has nothing to do with the number of cores.
    pub fn transfers(mut self, width: usize) -> Self {
        self.settings.transfers = width;
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

    /// What stores are told about who builds: the writer, the machine, the commit of the recipe. Project, task and
    /// build time are filled in for each artifact.
    pub fn provenance(mut self, provenance: Provenance) -> Self {
        self.settings.provenance = provenance;
        self
    }

    /// Signs every artifact that is made. Whoever trusts the key's public half can then tell it from one that someone
    /// else put into the cache.
    #[cfg(feature = "signing")]
    pub fn sign(mut self, key: crate::cache::SigningKey) -> Self {
        self.settings.trust = self.settings.trust.signed_by(key);
        self
    }

    /// Uses only artifacts that one of these keys has signed; any other is a miss, and is replaced if this engine
    /// [signs](Engine::sign) too. Trees that are still on this machine were checked when they came.
    #[cfg(feature = "signing")]
    pub fn trust(mut self, keys: impl IntoIterator<Item = crate::cache::PublicKey>) -> Self {
        self.settings.trust = self.settings.trust.in_keys(keys.into_iter().collect());
        self
    }

    /// Where the numbers of this run are added to those of earlier ones. A ledger that cannot be written is a warning.
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.settings.ledger = Some(ledger);
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

    /// How long a tree that no run uses stays on this machine, or up to a sixteenth longer; 14 days unless said.
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

    /// Keeps in the work directory how things stand after a run of all tasks that went well, so that the next can be a
    /// [rest](Engine::rest). What cannot be kept is no failure: the next run takes longer.
    pub fn remember(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
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
        let (glance, plan) = self.look_and_plan(graph, selection, &state);
        let plan = plan?;
        let supply = Supply::new(&self.settings, &dir);
        let (project, settings, observers) = (self.project, &self.settings, &self.observers);
        let course = Course { project, settings, observers, plan: &plan, state: &state, glance };
        let (report, summary) = course.run(dir, supply, start)?;
        if let (Some(summary), Some(origin), true) = (summary, &self.origin, self.settings.filter.is_empty()) {
            let _the_next_run_takes_longer = standing::keep(origin, &plan, summary::digest(self.project, &summary));
        }
        let glance = course.glance;
        let report = report.unwrap_or_else(|| idle::of_plan(plan, glance.as_ref(), &state, start));
        self.keep_numbers(&report);
        Ok(report)
    }

    /// Adds the numbers of a run to those of earlier ones, if it has any.
    fn keep_numbers(&self, report: &Report) {
        let Some(ledger) = &self.settings.ledger else { return };
        if report.tasks.iter().all(|task| task.looks.is_empty() && task.offers.is_empty()) {
            return;
        }
        if let Err(error) = ledger.add(&report.statistics()) {
            self.observers.tell(&Event::Warning { task: None, text: format!("the statistics are not kept: {error}") });
        }
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

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |place: &str, problem: &str| {
            let hint = "give 1 or more".into();
            Err(Error::Invalid { place: place.into(), problem: problem.into(), hint })
        };
        match (self.settings.jobs, self.settings.transfers) {
            (0, _) => refuse("jobs", "a run needs at least one worker"),
            (_, 0) => refuse("transfers", "a run needs at least one transfer slot"),
            _ => Ok(()),
        }
    }

    /// Plans, and looks at what is installed meanwhile: most of the time that is as planned. Where there is little to look
    /// at a thread is not worth its start, and nobody looks.
    fn look_and_plan(
        &self,
        graph: &Graph<'p>,
        selection: &[usize],
        state: &Mutex<State>,
    ) -> (Option<Glance>, Result<Plan<'p>>) {
        if selection.len() < MANY || self.settings.cache_mode == CacheMode::Recache {
            return (None, self.plan(graph, selection, state));
        }
        std::thread::scope(|scope| {
            let look = || Glance::at(graph, selection, state);
            let looking = std::thread::Builder::new().spawn_scoped(scope, look);
            let plan = self.plan(graph, selection, state);
            (looking.ok().and_then(|looking| looking.join().ok()), plan)
        })
    }

    fn plan(&self, graph: &Graph<'p>, selection: &[usize], state: &Mutex<State>) -> Result<Plan<'p>> {
        let detected;
        let platform = match &self.settings.platform {
            Some(platform) => platform,
            None => {
                // Looking takes a while; a project to which the machine does not matter can do without.
                let counts = self.project.platform == PlatformKey::Host;
                detected = if counts { detect_key(Path::new("/")) } else { Platform::default() };
                &detected
            }
        };
        let survey = Survey {
            project: self.project,
            state,
            cancel: &self.settings.cancel,
            supply: &Supply::new(&self.settings, &WorkDir::look(self.project.work_dir())),
            ours: Ours::of([self.project.work_dir(), self.project.install_dir()]),
        };
        Plan::new(graph, selection, survey.take(selection, platform)?)
    }
}
