//! The surroundings: what lies around a configuration, as far as paths need it.

use std::path::PathBuf;

/// The store that is there without being configured: a directory of the user's own.
pub(super) const LOCAL: &str = "local";

/// What the library does not look up by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// Where relative paths of options and variables begin.
    pub current_dir: PathBuf,
    /// What `~/` stands for.
    pub home: Option<PathBuf>,
    /// Where the directory of the store `local` is, and what runs on this machine tell each other.
    pub cache_dir: Option<PathBuf>,
}

impl Surroundings {
    /// A current directory, and nothing else.
    pub fn new(current_dir: impl Into<PathBuf>) -> Self {
        Self { current_dir: current_dir.into(), ..Self::default() }
    }

    /// Sets the [`home`](Surroundings::home).
    pub fn home(self, dir: Option<PathBuf>) -> Self {
        Self { home: dir, ..self }
    }

    /// Sets the [`cache_dir`](Surroundings::cache_dir).
    pub fn cache_dir(self, dir: Option<PathBuf>) -> Self {
        Self { cache_dir: dir, ..self }
    }
}
