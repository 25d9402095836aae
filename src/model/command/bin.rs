//! `bin`: a program that the product itself has installed.

use std::path::PathBuf;

use super::Command;
use crate::model::env::Env;

/// A program of `<install_dir>/bin` or `<install_dir>/embedded/bin`, run without a shell: arguments arrive as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Env,
    pub(crate) dir: Option<PathBuf>,
}

impl Bin {
    /// A program by its file name.
    pub fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Env::new(), dir: None }
    }

    /// Adds an argument. Path words in it are replaced.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds to the task's environment for this program alone.
    pub fn env(mut self, env: impl Into<Env>) -> Self {
        self.env = self.env.merged(&env.into());
        self
    }

    /// Runs the program elsewhere, relative to the source directory unless absolute.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<Bin> for Command {
    fn from(step: Bin) -> Self {
        Command::Bin(step)
    }
}
