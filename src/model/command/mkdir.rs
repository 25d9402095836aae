//! `mkdir`: a directory.

use std::path::PathBuf;

use super::Command;

/// Makes a directory; one that exists already is fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mkdir {
    pub(crate) path: PathBuf,
    pub(crate) parents: bool,
    pub(crate) mode: Option<u32>,
}

impl Mkdir {
    /// A directory and its parents, with mode 0755.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), parents: true, mode: None }
    }

    /// Whether missing parents are made too; they are unless said.
    pub fn parents(mut self, parents: bool) -> Self {
        self.parents = parents;
        self
    }

    /// The directory's permission bits.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }
}

impl From<Mkdir> for Command {
    fn from(step: Mkdir) -> Self {
        Command::Mkdir(step)
    }
}
