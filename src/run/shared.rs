//! What the tasks of one run share: the plan, the directories, the cache, and who is told.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use super::artifacts::Artifacts;
use super::debt::Debt;
use super::event::{Event, TaskRef};
use super::histories::Histories;
use super::install::{Installer, Span};
use super::licenses;
use super::observers::Observers;
use super::owed::Owed;
use super::report::CacheReport;
use super::settings::Settings;
use super::source::Supply;
use super::state::State;
use super::traffic::Traffic;
use super::work_dir::WorkDir;
use crate::cache::guard::Trouble;
use crate::cache::remarks::Remark;
use crate::cache::{Exchange, Trees};
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::fs;
use crate::host::jobserver::Jobserver;
use crate::model::{Paths, Project, Task};
use crate::plan::{Plan, PlannedTask};
use crate::text;

/// Shared by all workers of a run.
pub(crate) struct Shared<'r> {
    pub(crate) plan: &'r Plan<'r>,
    pub(crate) settings: &'r Settings,
    pub(crate) dir: WorkDir,
    pub(crate) state: &'r Mutex<State>,
    pub(crate) trees: Trees,
    pub(crate) installer: Installer<'r>,
    pub(crate) histories: Histories,
    pub(crate) artifacts: Artifacts,
    pub(crate) owed: Owed,
    /// What is owed by tasks that are done only when it is kept, by tag.
    pub(crate) pressing: HashMap<String, Debt>,
    pub(crate) exchange: Exchange,
    pub(crate) supply: Supply,
    pub(crate) observers: &'r Observers,
    /// Cancelled with the caller's token, and by the first failure.
    pub(crate) cancel: Cancel,
    pub(crate) tally: Mutex<CacheReport>,
    pub(crate) traffic: Mutex<Traffic>,
    /// Direct tasks that succeeded in this run.
    pub(crate) spans: Mutex<Vec<Span>>,
    /// Positions of tasks that have nothing of an earlier version installed any more, nor has anything downstream.
    pub(crate) cleared: Mutex<HashSet<usize>>,
    /// Whether artifacts were given up because the caller interrupted the run.
    unkept: AtomicBool,
    install_dir_is_fit: OnceLock<()>,
    jobserver: OnceLock<Jobserver>,
    starting: Mutex<()>,
}

impl<'r> Shared<'r> {
    #[expect(clippy::too_many_arguments, reason = "one call, which names everything that a run is made of")]
    pub(crate) fn new(
        plan: &'r Plan<'r>,
        settings: &'r Settings,
        dir: WorkDir,
        state: &'r Mutex<State>,
        trees: Trees,
        installer: Installer<'r>,
        supply: Supply,
        observers: &'r Observers,
    ) -> Self {
        let cancel = settings.cancel.child();
        let exchange = Exchange {
            callbacks: settings.callbacks.clone(),
            mode: settings.cache_mode,
            limit: plan.project().callback_timeout,
            trust: settings.trust.clone(),
            top: top(plan.project()),
            cancel: cancel.child(),
            interrupt: settings.cancel.clone(),
        };
        Self {
            plan,
            settings,
            histories: Histories::new(dir.histories()),
            artifacts: Artifacts::new(dir.artifacts()),
            owed: Owed::new(dir.owed()),
            pressing: HashMap::new(),
            dir,
            state,
            trees,
            installer,
            exchange,
            supply,
            observers,
            cancel,
            tally: Mutex::default(),
            traffic: Mutex::default(),
            spans: Mutex::default(),
            cleared: Mutex::default(),
            unkept: AtomicBool::new(false),
            install_dir_is_fit: OnceLock::new(),
            jobserver: OnceLock::new(),
            starting: Mutex::new(()),
        }
    }

    pub(crate) fn project(&self) -> &'r Project {
        self.plan.project()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: Event) {
        self.observers.tell(&event);
    }

    /// Warns, of a task.
    pub(crate) fn warn(&self, task: &TaskRef, text: impl Into<String>) {
        self.tell(Event::Warning { task: Some(task.clone()), text: text.into() });
    }

    /// Takes what callbacks had to say beside their answer: about a task, or a tier.
    pub(crate) fn remark(&self, task: &TaskRef, remark: Remark) {
        match remark {
            Remark::Warning(text) => self.warn(task, text),
            Remark::Looked(look) => self.traffic().look(task, look),
            Remark::Offered(offer) => self.traffic().offer(task, offer),
            Remark::Left { tier, reason } => {
                self.traffic().leave(tier.clone(), reason.clone());
                self.tell(Event::TierLeft { tier, reason });
            }
        }
    }

    /// The numbers so far.
    pub(crate) fn tally(&self) -> CacheReport {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A cache that has to answer and does not is found before hours of building.
    pub(crate) fn check_cache(&self) -> Result<()> {
        self.exchange.ready(self.settings.cache_policy).map_err(|trouble| match trouble {
            Trouble::Cancelled => Error::Interrupted,
            Trouble::Failed(reason) => Error::Unready { reason },
            Trouble::TimedOut(limit) => {
                Error::Unready { reason: format!("no answer within {}", text::duration(limit)) }
            }
        })
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something that the cache did.
    pub(crate) fn count(&self, count: impl FnOnce(&mut CacheReport)) {
        count(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes that offering artifacts again was in vain, and cost so much time.
    pub(crate) fn note_loss(&self, time: Duration) {
        if let Err(error) = self.owed.lose(time, SystemTime::now()) {
            self.tell(Event::Warning { task: None, text: error.to_string() });
        }
    }

    /// Notes that the caller did not wait for an artifact to be kept.
    pub(crate) fn leave_unkept(&self) {
        self.unkept.store(true, Ordering::SeqCst);
    }

    /// Whether the caller did not wait for an artifact to be kept.
    pub(crate) fn left_unkept(&self) -> bool {
        self.unkept.load(Ordering::SeqCst)
    }

    /// Whether a task is staged, so that it can be a tree and an artifact. One that has nothing to do is not.
    pub(crate) fn stages(&self, task: &PlannedTask<'_>) -> bool {
        stages(self.project(), task.task())
    }

    /// The directories that a task's steps see.
    pub(crate) fn paths(&self, task: &PlannedTask<'_>) -> Paths {
        let project = self.project();
        let source_dir = self.dir.source(task.name());
        let staged = self.stages(task);
        let stage_dir = if staged { self.dir.stage(task.name()) } else { Default::default() };
        let install_dir = project.install_dir.clone();
        let stage_install_dir = if staged { stage_dir.join(top(project)) } else { install_dir.clone() };
        let source_dir = match &task.task().particulars().relative_path {
            Some(path) => source_dir.join(path),
            None => source_dir,
        };
        let work_dir = self.dir.root().to_path_buf();
        let recipe_dir = project.recipe_dir.clone();
        Paths { source_dir, stage_dir, stage_install_dir, install_dir, work_dir, recipe_dir }
    }

    /// The jobserver, made when the first task is built: a run with nothing to do needs none.
    pub(crate) fn jobserver(&self) -> Result<&Jobserver> {
        let _one_at_a_time = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobserver) = self.jobserver.get() {
            return Ok(jobserver);
        }
        let dir = self.dir.tmp("");
        fs::create_dirs(&dir)?;
        let jobserver = Jobserver::new(&dir, self.settings.jobs)?;
        Ok(self.jobserver.get_or_init(|| jobserver))
    }

    /// A place that cannot be written is found before hours of building, and not at all by a run with nothing to do.
    pub(crate) fn check_install_dir(&self) -> Result<()> {
        if self.install_dir_is_fit.get().is_some() {
            return Ok(());
        }
        let dir = &self.project().install_dir;
        fs::create_dirs(dir)?;
        // A file without a name, so that a run which is killed now leaves none in the product.
        tempfile::tempfile_in(dir).map(drop).map_err(Error::io("write to", dir))?;
        self.install_dir_is_fit.get_or_init(|| ());
        Ok(())
    }
}

/// Whether a task is staged: it may be cached, and there is something to do.
pub(crate) fn stages(project: &Project, task: &Task) -> bool {
    project.caches(task) && !installs_nothing(task)
}

/// Whether a task has nothing to do, so that it is there for its dependencies alone.
pub(crate) fn installs_nothing(task: &Task) -> bool {
    task.commands.is_empty() && task.particulars().license.files.is_empty()
}

/// The install directory as paths in trees begin.
pub(crate) fn top(project: &Project) -> PathBuf {
    licenses::below_root(&project.install_dir).components().collect()
}

/// A path as text for messages.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
