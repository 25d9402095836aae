//! `sync`: a directory made equal to another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Command;

/// Makes `dest` a mirror of the directory `source`: copies what differs, removes what `source` does not have.
/// Excluded paths are neither copied nor removed.
#[derive(Debug, Clone)]
pub struct Sync {
    pub(crate) source: PathBuf,
    pub(crate) dest: PathBuf,
    pub(crate) excludes: Vec<String>,
    pub(crate) decide: Option<Decide>,
    pub(crate) dir: Option<PathBuf>,
}

/// A function that is asked, for each file whose target exists, whether to replace it.
#[derive(Clone)]
pub struct Decide {
    /// Counts into the shasum in place of the function, which has no text of its own.
    pub(crate) text: String,
    pub(crate) ask: Ask,
}

type Ask = Arc<dyn Fn(&Path, &Path) -> anyhow::Result<bool> + Send + std::marker::Sync>;

impl std::fmt::Debug for Decide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Decide").field(&self.text).finish()
    }
}

impl Sync {
    /// A mirror of `source` at `dest`.
    pub fn new(source: impl Into<PathBuf>, dest: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), dest: dest.into(), excludes: Vec::new(), decide: None, dir: None }
    }

    /// Leaves alone what matches a glob pattern, relative to `source`.
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.excludes.push(pattern.into());
        self
    }

    /// Asks `ask(source, target)` for each file whose target exists. `text` stands for the function in the shasum:
    /// change it whenever the function changes.
    pub fn decide<F>(mut self, text: impl Into<String>, ask: F) -> Self
    where
        F: Fn(&Path, &Path) -> anyhow::Result<bool> + Send + std::marker::Sync + 'static,
    {
        self.decide = Some(Decide { text: text.into(), ask: Arc::new(ask) });
        self
    }

    /// Takes relative paths below `dir` instead of the source directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<Sync> for Command {
    fn from(step: Sync) -> Self {
        Command::Sync(step)
    }
}
