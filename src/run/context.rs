//! The context of a task's steps: its directories, its environment, its log, and the way to say something.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::environment::{self, Variables};
use super::event::{Event, TaskRef};
use super::log::Log;
use super::observers::Observers;
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
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) log: Arc<Log>,
    pub(crate) observers: &'r Observers,
    pub(crate) cancel: &'r Cancel,
    pub(crate) jobserver: Option<&'r Jobserver>,
    pub(crate) limit: Option<Duration>,
}

/// What stands in output in place of a secret.
const MASK: &[u8] = b"***";

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
        let mut variables = self.variables.clone();
        environment::declare(&mut variables, env, &self.paths);
        Cow::Owned(variables)
    }

    /// Says a line: to the log and to the observers, with secrets masked.
    pub(crate) fn output(&self, line: &[u8], error: bool) -> Result<()> {
        let line = self.masked(line);
        self.log.line(&line)?;
        let line = String::from_utf8_lossy(&line).into_owned();
        self.tell(Event::Output { task: self.task.clone(), line, error });
        Ok(())
    }

    /// Warns of something that does not stop the task.
    pub(crate) fn warn(&self, text: impl Into<String>) -> Result<()> {
        let text = text.into();
        self.log.line(format!("warning: {text}").as_bytes())?;
        self.tell(Event::Warning { task: Some(self.task.clone()), text });
        Ok(())
    }

    pub(crate) fn tell(&self, event: Event) {
        self.observers.tell(&event);
    }

    fn masked<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        let mut line = Cow::Borrowed(line);
        for secret in &self.secrets {
            if let Some(masked) = replace(&line, secret) {
                line = Cow::Owned(masked);
            }
        }
        line
    }
}

/// `line` with every `secret` masked; `None` if there is none in it.
fn replace(line: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let find = |rest: &[u8]| rest.windows(secret.len()).position(|window| window == secret);
    let mut rest = line;
    let mut masked = Vec::new();
    while let Some(start) = find(rest) {
        let (before, after) = rest.split_at(start);
        masked.extend_from_slice(before);
        masked.extend_from_slice(MASK);
        rest = after.get(secret.len()..).unwrap_or_default();
    }
    if masked.is_empty() {
        return None;
    }
    masked.extend_from_slice(rest);
    Some(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        assert_eq!(replace(b"a hunter2, hunter2", b"hunter2").unwrap(), b"a ***, ***");
        assert_eq!(replace(b"hunter2", b"hunter2").unwrap(), b"***");
        assert_eq!(replace(b"hunter", b"hunter2"), None);
    }
}
