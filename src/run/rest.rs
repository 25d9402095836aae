//! A rest: a run that begins with how things stood after an earlier one, looks whether they still do, and has nothing
//! to do.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::engine::Engine;
use super::event::Event;
use super::idle::{self, Intact};
use super::install::{Expected, InstallOptions, Installer};
use super::ours::Ours;
use super::owed::Owed;
use super::report::Report;
use super::source::Supply;
use super::standing::{Standing, Stood};
use super::state::State;
use super::summary;
use super::survey::Survey;
use super::work_dir::WorkDir;
use crate::cache::CacheMode;
use crate::host::lock::Wait;

impl Engine<'_> {
    /// Runs the project that `standing` is of, if there is nothing to do. This engine is one for the standing's own
    /// [project](Standing::project).
    ///
    /// `None` if anything has changed, cannot be looked at, or has been asked for that takes more than a look. Nobody
    /// has been told anything then, and nothing was done: make the project, and [run](Engine::run) that.
    pub fn rest(self, standing: &Standing) -> Option<Report> {
        let start = Instant::now();
        if self.check().is_err() || !self.settings.filter.is_empty() || self.settings.cache_mode == CacheMode::Recache {
            return None;
        }
        let dir = WorkDir::look(standing.project.work_dir());
        dir.exists().ok().filter(|exists| *exists)?;
        let _lock = dir.lock(Wait::Fail, &self.settings.holder, &self.settings.cancel, &mut |_| {}).ok()?;
        if self.owes(standing, &dir) {
            return None;
        }
        let state = Mutex::new(State::whole(&dir.state(), standing.project.install_dir()).ok()??);
        self.stands(standing, &dir, &state).then(|| self.rested(standing, &state, start))
    }

    /// Whether something is to be offered to the cache again. A rest knows no callbacks.
    fn owes(&self, standing: &Standing, dir: &WorkDir) -> bool {
        let planned = |tag: &str| standing.tasks.iter().any(|task| task.tag == tag);
        let due = || Owed::new(dir.owed()).due(SystemTime::now(), |tag, _| planned(tag));
        self.settings.cache_mode.writes() && due().is_ok_and(|due| !due.is_empty())
    }

    fn stands(&self, standing: &Standing, dir: &WorkDir, state: &Mutex<State>) -> bool {
        let (project, supply) = (&standing.project, Supply::new(&self.settings, dir));
        let ours = Ours::of([project.work_dir(), project.install_dir()]);
        let survey = Survey { project, state, cancel: &self.settings.cancel, supply: &supply, ours };
        let options = InstallOptions { install_dir: project.install_dir.clone(), ..InstallOptions::default() };
        let installer = Installer::new(options, state);
        let installed = || state.lock().unwrap_or_else(PoisonError::into_inner).count_installed();
        // As many as there should be, and all of these: nothing of a task that has left the project.
        installed() == standing.tasks.len()
            && survey.same(&standing.inputs)
            && summary::look(project) == Some(standing.summary)
            && installer.intact(&standing.tasks, Stood::expected).into_iter().all(|intact| intact)
    }

    fn rested(&self, standing: &Standing, state: &Mutex<State>, start: Instant) -> Report {
        self.observers.tell(&Event::RunStarted { tasks: standing.tasks.len(), jobs: self.settings.jobs });
        idle::tell(standing.tasks.iter().map(|task| task.name.as_str()), &self.observers);
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = standing.tasks.iter().map(|task| Intact {
            name: &task.name,
            tag: task.tag.clone(),
            shasum: task.shasum,
            duration: state.duration(&task.name),
        });
        let report = idle::report(standing.project.name(), tasks, start);
        self.observers.tell(&Event::RunFinished { success: true, duration: start.elapsed() });
        report
    }
}

impl Stood {
    fn expected(&self) -> Expected<'_> {
        Expected { task: &self.name, tag: &self.tag, overrides: &self.overrides }
    }
}
