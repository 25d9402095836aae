//! The licence of a task: its name and the files that carry its text.

use std::path::PathBuf;

/// What a task's licence is called and which files of its source hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct License {
    /// An SPDX identifier or expression, or free text. `Unspecified` unless said.
    pub id: String,
    /// Files relative to the task's source directory, or below `@{recipe_dir}`. Each is installed, on every run, as
    /// `<install_dir>/LICENSES/<task>/<file>`.
    pub files: Vec<PathBuf>,
}

impl License {
    /// The directory below the install directory that licence files are collected in.
    pub const DIR: &'static str = "LICENSES";
    /// The name of a licence that nobody named.
    pub const UNSPECIFIED: &'static str = "Unspecified";
}

impl Default for License {
    fn default() -> Self {
        Self { id: Self::UNSPECIFIED.to_owned(), files: Vec::new() }
    }
}
