//! What a block sees while it runs: the task's name, its directories, and ways to run further steps and to write files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command::{Command, Emit, Shell};
use super::paths::Paths;
use crate::error::Result;

/// Handed to a block. Everything a block does through it is logged and reported like a queued step.
pub struct Scope<'a> {
    task: &'a str,
    paths: &'a Paths,
    hands: &'a dyn Hands,
}

/// What a block can have done for it.
pub(crate) trait Hands {
    fn run(&self, command: &Command) -> Result<()>;

    /// A file with this content at an absolute path.
    fn write(&self, path: &Path, content: &[u8], mode: Option<u32>) -> Result<()>;
}

impl<'a> Scope<'a> {
    pub(crate) fn new(task: &'a str, paths: &'a Paths, hands: &'a dyn Hands) -> Self {
        Self { task, paths, hands }
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
        self.hands.run(&step.into())
    }

    /// Runs a shell command now.
    ///
    /// # Errors
    /// When it does not end with exit code 0.
    pub fn command(&self, command: impl Into<Shell>) -> Result<()> {
        self.run(command.into())
    }

    /// Writes a file now, and the directories above it: `path` with its words replaced, below the source directory if
    /// it is relative. Without a `mode`, a file that is there keeps its own, and a new one has what the umask leaves of
    /// 0666.
    ///
    /// A script that is written by this and run by the next command is never a "text file busy", which one written by
    /// other means can be while another task starts a process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: Option<u32>) -> Result<()> {
        self.hands.write(&self.path(path), content.as_ref(), mode)
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
