//! The options: what a program decides about a directory store that it opens.

use std::time::Duration;

use super::file_sync::FileSync;
use super::perm::Perm;

/// How to open a [`DirectoryStore`](super::DirectoryStore).
///
/// How large a store may get is its owner's decision and stands in its `config.toml` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectoryOptions {
    /// Instead of what the store's configuration says.
    pub file_sync: Option<FileSync>,
    /// Instead of what the store's configuration says.
    pub perm: Option<Perm>,
    /// Bytes that a store may take which is made by opening it: 20 GiB unless said.
    pub initial_size: u64,
    /// How long to wait for whoever holds the store's lock, before going on without storing: 10 s unless said.
    pub lock_wait: Duration,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self { file_sync: None, perm: None, initial_size: 20 << 30, lock_wait: Duration::from_secs(10) }
    }
}

impl DirectoryOptions {
    /// Everything as the store says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`file_sync`](DirectoryOptions::file_sync).
    pub fn file_sync(self, file_sync: FileSync) -> Self {
        Self { file_sync: Some(file_sync), ..self }
    }

    /// Sets [`perm`](DirectoryOptions::perm).
    pub fn perm(self, perm: Perm) -> Self {
        Self { perm: Some(perm), ..self }
    }

    /// Sets [`initial_size`](DirectoryOptions::initial_size).
    pub fn initial_size(self, bytes: u64) -> Self {
        Self { initial_size: bytes, ..self }
    }

    /// Sets [`lock_wait`](DirectoryOptions::lock_wait).
    pub fn lock_wait(self, wait: Duration) -> Self {
        Self { lock_wait: wait, ..self }
    }
}
