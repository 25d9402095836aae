//! How carefully a store handles its files: as other machines, or power cuts, need it.

use std::str::FromStr;

use super::words::{Words, find};
use crate::error::Result;

/// How carefully a store handles files that other machines look at, or that a power cut could tear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FileSync {
    /// Not at all: right for local disks and for cluster file systems that are coherent.
    None,
    /// As NFS wants it (close-to-open): directories are opened before they are looked at, and after they were changed.
    #[default]
    Dir,
    /// Everything is brought to the disk, file before name, before anybody is told that it is kept.
    Sync,
}

impl FileSync {
    pub(super) const WORDS: &Words<Self> = &[("none", Self::None), ("dir", Self::Dir), ("sync", Self::Sync)];
}

impl FromStr for FileSync {
    type Err = String;

    /// `none`, `dir` or `sync`.
    fn from_str(text: &str) -> Result<Self, String> {
        find(text, Self::WORDS)
    }
}
