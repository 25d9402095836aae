//! What to know about a directory store to open it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cache::{DirectoryOptions, DirectoryStore, seconds};
use crate::error::{Error, Result};

/// A directory of artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Directory {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that it may take if it is made by opening it; afterwards its own `config.toml` says how many.
    #[serde(default)]
    pub size: Option<u64>,
    /// `none`, `dir` or `sync`, instead of what its `config.toml` says.
    #[serde(default)]
    pub file_sync: Option<String>,
    /// `none`, `group` or `other`, instead of what its `config.toml` says.
    #[serde(default)]
    pub perm: Option<String>,
    /// How long to wait for whoever holds its lock.
    #[serde(default, with = "seconds::option")]
    pub lock_wait: Option<Duration>,
}

impl Directory {
    /// A directory, everything else as it says itself.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), size: None, file_sync: None, perm: None, lock_wait: None }
    }

    /// The store.
    ///
    /// # Errors
    /// A directory that is something else, or cannot be made.
    pub fn open(&self) -> Result<DirectoryStore> {
        let invalid = |problem: String| Error::Invalid {
            place: format!("directory `{}`", self.path.display()),
            problem,
            hint: String::new(),
        };
        let mut options = DirectoryOptions::new();
        options.file_sync = self.file_sync.as_deref().map(str::parse).transpose().map_err(invalid)?;
        options.perm = self.perm.as_deref().map(str::parse).transpose().map_err(invalid)?;
        options.initial_size = self.size.unwrap_or(options.initial_size);
        options.lock_wait = self.lock_wait.unwrap_or(options.lock_wait);
        DirectoryStore::open_with(&self.path, &options)
    }
}
