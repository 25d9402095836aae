//! Builds a task from its source, into a stage that becomes its tree, or directly into the install directory.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime};

use super::context::Context;
use super::environment;
use super::event::TaskRef;
use super::handover::Offer;
use super::install::Span;
use super::log::Log;
use super::ours::Ours;
use super::secrets::Secrets;
use super::shared::{Shared, installs_nothing, top};
use super::source::Provision;
use super::survey::Survey;
use super::{licenses, source, steps, symlinks};
use crate::cache::Turn;
use crate::error::{Error, Result};
use crate::host::fs;
use crate::host::layout::Layout;
use crate::host::listing::{Entry, Kind, Listing};
use crate::model::Paths;
use crate::plan::PlannedTask;

impl Shared<'_> {
    /// Builds a task and installs it. With `replace`, its artifact takes the place of one that is kept already.
    pub(crate) fn build(
        &self,
        task: &PlannedTask<'_>,
        name: &TaskRef,
        source: Result<Provision>,
        replace: bool,
        turn: Option<Turn>,
    ) -> Result<Option<Offer>> {
        let log = Arc::new(Log::create(self.dir.log(task.name()))?);
        let source = source?;
        self.clear(task)?;
        let built = match self.stages(task) {
            true => self.build_staged(task, name, &source, &log, replace),
            false => self.build_directly(task, name, &source, &log).map(|()| None),
        };
        let flushed = log.flush();
        let offer = built?;
        flushed.map(|()| offer.map(|offer| Offer { turn, ..offer }))
    }

    fn build_staged(
        &self,
        task: &PlannedTask<'_>,
        name: &TaskRef,
        source: &Provision,
        log: &Arc<Log>,
        replace: bool,
    ) -> Result<Option<Offer>> {
        let paths = self.paths(task);
        fs::empty_dir(&paths.stage_dir)?;
        let prefix = paths.stage_install_dir.strip_prefix(&paths.stage_dir).unwrap_or(&paths.stage_install_dir);
        fs::create_dirs_below(&paths.stage_dir, prefix)?;
        let start = Instant::now();
        self.work(task, name, source, &paths, log, &paths.stage_dir)?;
        if !task.task().particulars().preserve_symlinks {
            symlinks::replace(&paths.stage_dir)?;
        }
        let duration = start.elapsed();
        self.survey().confirm(task.task(), self.plan.inputs())?;
        let (mut entries, unfit) = self.inventory(name, &paths.stage_dir)?;
        self.pass_over_leading(&mut entries);
        let draft = self.trees.adopt(Layout::whole(&paths.stage_dir), entries, task.tag());
        let tree = draft.seal(self.project().source_date_epoch, None)?;
        // Packed before it is installed: installed files may be links into the tree, and open to anyone's hands.
        let packed = self.exchange.writes().then(|| match unfit {
            None => self.pack_fresh(task, name, &tree, duration, replace),
            Some(unfit) => Offer::failed(&unfit),
        });
        self.install(task, &tree)?;
        self.state().set_duration(task.name(), duration)?;
        fs::remove_tree(&self.dir.source(task.name()))?;
        Ok(packed)
    }

    fn survey(&self) -> Survey<'_> {
        let ours = Ours::of([&self.project().work_dir, &self.project().install_dir]);
        Survey { project: self.project(), state: self.state, cancel: &self.cancel, supply: &self.supply, ours }
    }

    /// What is in a stage. Sockets, pipes and devices are removed from it, since neither a tree nor an artifact can
    /// hold them; beside it is said why the stage then cannot be an artifact, if there were any.
    fn inventory(&self, name: &TaskRef, stage: &Path) -> Result<(Vec<Entry>, Option<Error>)> {
        let (mut entries, mut unfit) = (Listing::of(stage)?.entries, None);
        for entry in &entries {
            let Kind::Special(what) = entry.kind else { continue };
            self.warn(name, format!("`/{}` is a {what} and is not installed", entry.path.display()));
            fs::remove_tree(&stage.join(&entry.path))?;
            let problem = format!("`{}` is a {what}, which an artifact cannot hold", entry.path.display());
            unfit.get_or_insert(Error::Archive { archive: name.to_string(), problem });
        }
        entries.retain(|entry| !matches!(entry.kind, Kind::Special(_)));
        Ok((entries, unfit))
    }

    /// Leaves out of sight what leads to the install directory: it is not installed, so nobody need date or watch it.
    fn pass_over_leading(&self, entries: &mut [Entry]) {
        let top = top(self.project());
        let leads = |entry: &&mut Entry| entry.kind == Kind::Directory && top.starts_with(&entry.path);
        for entry in entries.iter_mut().filter(leads) {
            *entry = Entry::nominal(std::mem::take(&mut entry.path), entry.mode, entry.stat.mtime);
        }
    }

    /// Nothing is staged, so what the steps write can only be observed, at the end of the run.
    fn build_directly(&self, task: &PlannedTask<'_>, name: &TaskRef, source: &Provision, log: &Arc<Log>) -> Result<()> {
        self.installer.begin_direct(task.name(), task.tag(), &task.task().particulars().overrides)?;
        let (clock, start) = (Instant::now(), SystemTime::now());
        self.work(task, name, source, &self.paths(task), log, Path::new("/"))?;
        self.state().set_duration(task.name(), clock.elapsed())?;
        self.remember(task);
        fs::remove_tree(&self.dir.source(task.name()))?;
        if installs_nothing(task.task()) {
            return self.installer.complete_empty(task.name(), task.tag(), &task.task().particulars().overrides);
        }
        // Its record stays unfinished: what it has read is not what its key was made of, so it runs again.
        if let Err(changed) = self.survey().confirm(task.task(), self.plan.inputs()) {
            self.warn(name, changed.to_string());
            return Ok(());
        }
        let span = Span {
            task: task.name().to_owned(),
            tag: task.tag().to_owned(),
            overrides: task.task().particulars().overrides.clone(),
            start,
            end: SystemTime::now(),
        };
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        Ok(())
    }

    /// Unpacks the source, runs the steps and collects the licence files into `root`, which stands for `/`.
    fn work(
        &self,
        task: &PlannedTask<'_>,
        name: &TaskRef,
        source: &Provision,
        paths: &Paths,
        log: &Arc<Log>,
        root: &Path,
    ) -> Result<()> {
        let tmp = self.dir.tmp(task.name());
        fs::empty_dir(&tmp)?;
        let variables = environment::of_task(self.project(), task.task(), paths, &tmp, &self.settings.ambient);
        let context = Context {
            task: name.clone(),
            paths: paths.clone(),
            variables,
            secrets: Secrets::of(environment::declared(self.project(), task.task()), paths),
            log: log.clone(),
            observers: self.observers,
            cancel: &self.cancel,
            jobserver: Some(self.jobserver()?),
            limit: task.task().particulars().time_limit,
        };
        source::bring(task.task(), source, &self.dir.source(task.name()), &self.supply, &context)?;
        if task.task().particulars().relative_path.is_some() && !paths.source_dir.is_dir() {
            return Err(Error::Step {
                step: "relative_path".into(),
                problem: format!("the source has no directory `{}`", super::shared::shown(&paths.source_dir)),
            });
        }
        let token = self.jobserver()?.acquire(&self.cancel)?;
        steps::run_all(task.task().commands(), &context)?;
        drop(token);
        licenses::collect(task.task(), self.project(), root, &context)?;
        fs::remove_tree(&tmp)
    }

    /// Takes away what an earlier version of the task, and of what depends on it, has installed: a build sees its
    /// upstreams as planned, and nothing that a clean build would not see.
    fn clear(&self, task: &PlannedTask<'_>) -> Result<()> {
        self.installer.clear(task.name())?;
        // Held until all is cleared: whoever finds a task in here may rely on it.
        let mut cleared = self.cleared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queue = task.downstreams().to_vec();
        while let Some(position) = queue.pop() {
            let fresh = |_: &&PlannedTask<'_>| cleared.insert(position);
            let Some(downstream) = self.plan.tasks().get(position).filter(fresh) else { continue };
            let installed = self.state().installed(downstream.name()).map(|installed| installed.tag);
            if installed.is_some_and(|tag| tag != downstream.tag()) {
                self.installer.clear(downstream.name())?;
            }
            queue.extend(downstream.downstreams());
        }
        Ok(())
    }
}
