//! The context of a task's steps: its directories, its environment, its log, and the way to say something.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::environment::{self, Variables};
use super::event::{Event, TaskRef};
use super::log::Log;
use super::observers::Observers;
use super::secrets::Secrets;
use crate::error::Result;
use crate::host::cancel::Cancel;
use crate::host::jobserver::Jobserver;
use crate::model::{Env, Paths};

/// Everything that a step may use.
#[derive(Debug)]
pub(crate) struct Context<'r> {
    pub(crate) task: TaskRef,
    pub(crate) paths: Paths,
    pub(crate) variables: Variables,
    pub(crate) secrets: Secrets,
    pub(crate) log: Arc<Log>,
    pub(crate) observers: &'r Observers,
    pub(crate) cancel: &'r Cancel,
    pub(crate) jobserver: Option<&'r Jobserver>,
    pub(crate) limit: Option<Duration>,
}

impl Context<'_> {
    /// A path of a step: its words replaced, and taken below the step's directory if it is relative.
    pub(crate) fn path(&self, dir: Option<&Path>, path: &Path) -> PathBuf {
        self.paths.resolve(&self.dir(dir), path)
    }

    /// The directory that a step works in: its own `dir`, else the source directory.
    pub(crate) fn dir(&self, dir: Option<&Path>) -> PathBuf {
        match dir {
            Some(dir) => self.paths.resolve(&self.paths.source_dir, dir),
            None => self.paths.source_dir.clone(),
        }
    }

    /// A file of the recipe.
    pub(crate) fn recipe_file(&self, path: &Path) -> PathBuf {
        self.paths.resolve(&self.paths.recipe_dir, path)
    }

    /// The environment of a step that declares something more.
    pub(crate) fn variables(&self, env: &Env) -> Cow<'_, Variables> {
        if env.is_empty() {
            return Cow::Borrowed(&self.variables);
        }
        self.secrets.add(env, &self.paths);
        let mut variables = self.variables.clone();
        environment::declare(&mut variables, env, &self.paths);
        Cow::Owned(variables)
    }

    /// Says a line: to the log and to the observers, with secrets masked.
    pub(crate) fn output(&self, line: &[u8], error: bool) -> Result<()> {
        let line = self.secrets.mask(line);
        self.log.line(&line)?;
        let line = String::from_utf8_lossy(&line).into_owned();
        self.tell(Event::Output { task: self.task.clone(), line, error });
        Ok(())
    }

    /// Warns of something that does not stop the task.
    pub(crate) fn warn(&self, text: impl Into<String>) -> Result<()> {
        let text = self.secrets.mask_text(text.into());
        self.log.line(format!("warning: {text}").as_bytes())?;
        self.tell(Event::Warning { task: Some(self.task.clone()), text });
        Ok(())
    }

    pub(crate) fn tell(&self, event: Event) {
        self.observers.tell(&event);
    }
}
