//! `copy`: a file or directory, copied by the engine itself.

use std::path::PathBuf;

use super::Command;

/// Copies files and directories like `cp -a`: into `dest` when that is a directory or ends in `/`, else to `dest`.
/// A source with `*`, `?` or `[` in it is a glob pattern, unless a file bears that very name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    pub(crate) source: PathBuf,
    pub(crate) dest: PathBuf,
    pub(crate) dir: Option<PathBuf>,
}

impl Copy {
    /// A copy of `source` at (or in) `dest`.
    pub fn new(source: impl Into<PathBuf>, dest: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), dest: dest.into(), dir: None }
    }

    /// Takes relative paths below `dir` instead of the source directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<Copy> for Command {
    fn from(step: Copy) -> Self {
        Command::Copy(step)
    }
}
