//! What a block sees while it runs: the task's name, its directories, and a way to run further steps.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command::{Command, Emit, Shell};
use super::paths::Paths;
use crate::error::Result;

/// Handed to a block. Everything a block does through it is logged and reported like a queued step.
pub struct Scope<'a> {
    task: &'a str,
    paths: &'a Paths,
    run: &'a dyn Fn(&Command) -> Result<()>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(task: &'a str, paths: &'a Paths, run: &'a dyn Fn(&Command) -> Result<()>) -> Self {
        Self { task, paths, run }
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        self.task
    }

    /// The task's directories.
    pub fn paths(&self) -> &Paths {
        self.paths
    }

    /// `path` with its words replaced, below the source directory if it is relative.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.paths.resolve(&self.paths.source_dir, path.as_ref())
    }

    /// `text` with its path words replaced.
    pub fn expand(&self, text: &str) -> String {
        self.paths.expand(OsStr::new(text)).to_string_lossy().into_owned()
    }

    /// Runs a step now.
    ///
    /// # Errors
    /// Those of the step; a block normally passes them on with `?`.
    pub fn run(&self, step: impl Into<Command>) -> Result<()> {
        (self.run)(&step.into())
    }

    /// Runs a shell command now.
    ///
    /// # Errors
    /// When it does not end with exit code 0.
    pub fn command(&self, command: impl Into<Shell>) -> Result<()> {
        self.run(command.into())
    }

    /// Says a line in the task's output.
    ///
    /// # Errors
    /// When the task's log cannot be written.
    pub fn emit(&self, text: impl Into<String>) -> Result<()> {
        self.run(Emit::new(text))
    }
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("task", &self.task).field("paths", &self.paths).finish_non_exhaustive()
    }
}
