//! `command`: a shell command.

use std::path::PathBuf;

use super::Command;
use crate::model::env::Env;

/// A text for `/bin/sh`, run with `-e`: a command of several lines stops at the first line that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    pub(crate) line: String,
    pub(crate) env: Env,
    pub(crate) dir: Option<PathBuf>,
}

impl Shell {
    /// A shell command, run in the task's source directory.
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), env: Env::new(), dir: None }
    }

    /// Adds to the task's environment for this command alone.
    pub fn env(mut self, env: impl Into<Env>) -> Self {
        self.env = self.env.merged(&env.into());
        self
    }

    /// Runs the command elsewhere, relative to the source directory unless absolute.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<&str> for Shell {
    fn from(line: &str) -> Self {
        Shell::new(line)
    }
}

impl From<String> for Shell {
    fn from(line: String) -> Self {
        Shell::new(line)
    }
}

impl From<Shell> for Command {
    fn from(step: Shell) -> Self {
        Command::Shell(step)
    }
}
