//! `link`: a symbolic link.

use std::path::PathBuf;

use super::Command;

/// Makes a symbolic link at `path`, replacing a link or file that is there. The target's text is kept as it is, but
/// for path words; it need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub(crate) target: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) dir: Option<PathBuf>,
}

impl Link {
    /// A link at `path` that points to `target`: the order of `ln -s`.
    pub fn new(target: impl Into<PathBuf>, path: impl Into<PathBuf>) -> Self {
        Self { target: target.into(), path: path.into(), dir: None }
    }

    /// Takes a relative `path` below `dir` instead of the source directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<Link> for Command {
    fn from(step: Link) -> Self {
        Command::Link(step)
    }
}
