//! Inputs: what a task depends on outside its own words, named so that it can be looked at once before planning.

use std::path::PathBuf;

/// Something whose content counts into a task's shasum. The model only names it; the engine looks it up and hands the
/// answer to the plan, which stays free of I/O.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Input {
    /// The bytes of a file, relative to the recipe directory unless absolute: a patch, a template.
    File(PathBuf),
    /// The content of a file or directory, relative to the recipe directory unless absolute: every path below it, its
    /// kind, mode and bytes. What matches an exclude pattern does not count.
    Tree {
        /// The file or directory.
        path: PathBuf,
        /// Glob patterns, relative to it.
        excludes: Vec<String>,
    },
    /// Like [`Input::Tree`] for a path found in a command's text, which may name a file that only exists later: the
    /// nearest ancestor that exists counts, the recipe directory at the furthest.
    Mention(PathBuf),
    /// The commit that a branch or tag of a repository stands for.
    GitReference {
        /// The repository.
        url: String,
        /// A branch, tag or full reference name.
        reference: String,
    },
    /// The output of a command such as `cc --version`.
    Probe(String),
}
