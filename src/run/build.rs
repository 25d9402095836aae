//! Builds a task from its source, into a stage that becomes its tree, or directly into the install directory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tempfile::NamedTempFile;

use super::context::Context;
use super::environment;
use super::event::{Event, TaskRef};
use super::install::Span;
use super::log::Log;
use super::shared::Shared;
use super::{licenses, source, steps, symlinks};
use crate::cache::artifact::{Inner, filename};
use crate::cache::{Artifact, CacheMode, CachePolicy, Tree};
use crate::error::{Error, Result};
use crate::host::fs;
use crate::host::pack::{PackOptions, pack};
use crate::model::Paths;
use crate::plan::PlannedTask;

impl Shared<'_> {
    /// Builds a task and installs it.
    pub(crate) fn build(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<()> {
        let log = Arc::new(Log::create(self.dir.log(task.name()))?);
        let built =
            if self.stages(task) { self.build_staged(task, name, &log) } else { self.build_directly(task, name, &log) };
        let flushed = log.flush();
        built.and(flushed)
    }

    fn build_staged(&self, task: &PlannedTask<'_>, name: &TaskRef, log: &Arc<Log>) -> Result<()> {
        self.clear(task)?;
        let paths = self.paths(task);
        fs::empty_dir(&paths.stage_dir)?;
        fs::create_dirs(&paths.stage_install_dir)?;
        let start = Instant::now();
        self.work(task, name, &paths, log, &paths.stage_dir)?;
        if !task.task().preserve_symlinks {
            symlinks::replace(&paths.stage_dir)?;
        }
        let duration = start.elapsed();
        let tree = self.trees.adopt(&paths.stage_dir, task.tag())?.seal(self.project().source_date_epoch, None)?;
        self.install(task, &tree)?;
        self.state().set_duration(task.name(), duration)?;
        self.remember(task)?;
        fs::remove_tree(&self.dir.source(task.name()))?;
        self.offer(task, name, &tree, duration)
    }

    /// Nothing is staged, so what the steps write can only be observed, at the end of the run.
    fn build_directly(&self, task: &PlannedTask<'_>, name: &TaskRef, log: &Arc<Log>) -> Result<()> {
        self.installer.begin_direct(task.name(), task.tag(), &task.task().overrides)?;
        let (clock, start) = (Instant::now(), SystemTime::now());
        self.work(task, name, &self.paths(task), log, Path::new("/"))?;
        self.state().set_duration(task.name(), clock.elapsed())?;
        self.remember(task)?;
        fs::remove_tree(&self.dir.source(task.name()))?;
        let span = Span {
            task: task.name().to_owned(),
            tag: task.tag().to_owned(),
            overrides: task.task().overrides.clone(),
            start,
            end: SystemTime::now(),
        };
        self.spans.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(span);
        Ok(())
    }

    /// Fetches the source, runs the steps and collects the licence files into `root`, which stands for `/`.
    fn work(&self, task: &PlannedTask<'_>, name: &TaskRef, paths: &Paths, log: &Arc<Log>, root: &Path) -> Result<()> {
        let tmp = self.dir.tmp(task.name());
        fs::empty_dir(&tmp)?;
        let variables = environment::of_task(self.project(), task.task(), paths, &tmp, &self.settings.ambient);
        let context = Context {
            task: name.clone(),
            paths: paths.clone(),
            variables,
            secrets: environment::secrets(self.project(), task.task()),
            log: log.clone(),
            observers: self.observers,
            cancel: &self.cancel,
            jobserver: Some(self.jobserver()?),
            limit: task.task().time_limit,
        };
        source::bring(task.task(), self.plan.inputs(), &self.dir.source(task.name()), &self.supply, &context)?;
        if !paths.source_dir.is_dir() {
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
        self.installer.remove(task.name())?;
        let mut queue = task.downstreams().to_vec();
        let mut seen = std::collections::HashSet::new();
        while let Some(position) = queue.pop() {
            let Some(downstream) = self.plan.tasks().get(position).filter(|_| seen.insert(position)) else { continue };
            let installed = self.state().installed(downstream.name()).map(|installed| installed.tag);
            if installed.is_some_and(|tag| tag != downstream.tag()) {
                self.installer.remove(downstream.name())?;
            }
            queue.extend(downstream.downstreams());
        }
        Ok(())
    }

    /// Packs a fresh tree and offers it to the cache. Trouble with that is an event, unless the policy says more.
    fn offer(
        &self,
        task: &PlannedTask<'_>,
        name: &TaskRef,
        tree: &Tree,
        build_time: std::time::Duration,
    ) -> Result<()> {
        if !self.exchange.writes() {
            return Ok(());
        }
        let packed = self.pack(task, tree, build_time);
        let size = packed.as_ref().map_or(0, Artifact::size);
        let result = match packed {
            Ok(artifact) => self.exchange.update(artifact),
            Err(error) => Err(error.to_string()),
        };
        self.count(|cache| match &result {
            Ok(true) => (cache.stored, cache.stored_bytes) = (cache.stored + 1, cache.stored_bytes + size),
            Ok(false) => {}
            Err(_) => cache.failed_updates += 1,
        });
        self.tell(Event::Stored { task: name.clone(), tag: task.tag().to_owned(), size, result: result.clone() });
        match (result, self.settings.cache_policy) {
            (Err(reason), policy) if policy.requires_write() => {
                Err(Error::Cache { operation: "update", tag: task.tag().to_owned(), reason })
            }
            (Err(reason), CachePolicy::Warn) => {
                self.warn(name, format!("it could not be cached: {reason}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn pack(&self, task: &PlannedTask<'_>, tree: &Tree, build_time: std::time::Duration) -> Result<Artifact> {
        let dir = self.dir.pack();
        fs::create_dirs(&dir)?;
        let file = NamedTempFile::with_prefix_in(format!("{}.", task.name()), &dir);
        let mut file = file.map_err(Error::io("create a file in", &dir))?;
        let options =
            PackOptions { mtime: self.project().source_date_epoch, level: self.settings.compression_level, threads: 0 };
        let packed = pack(&tree.path, file.as_file_mut(), &options)?;
        self.state().set_artifact(task.tag(), &packed.digest)?;
        Ok(Artifact::new(Inner {
            name: task.name().to_owned(),
            tag: task.tag().to_owned(),
            filename: filename(task.tag()),
            path: file.into_temp_path(),
            digest: packed.digest,
            size: packed.packed_size,
            build_time,
            replace: self.settings.cache_mode == CacheMode::Recache,
        }))
    }
}
