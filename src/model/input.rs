//! Inputs: what a task depends on outside its own words, named so that it can be looked at once before planning.

use std::fmt;
use std::path::PathBuf;

use super::source::without_credentials;

/// Something whose content counts into a task's shasum. The model only names it; the engine looks it up and hands the
/// answer, a text, to the plan, which stays free of I/O. `docs/key.md` specifies the answers.
///
/// Paths are relative to the recipe directory unless absolute, and may begin with `@{recipe_dir}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Input {
    /// The bytes of a file, such as a patch or a template. The answer is their SHA-256, in hex.
    File(PathBuf),
    /// The content of a file or directory that has to exist. The answer is the digest of its
    /// [`InputTree`](super::InputTree), in hex.
    Tree {
        /// The file or directory.
        path: PathBuf,
        /// Glob patterns, relative to it, of what does not count.
        excludes: Vec<String>,
    },
    /// Everything whose path begins with this one, found in a text that may go on in ways that only a shell knows:
    /// `conf` stands for `conf`, `conf.d` and all below it. The empty path stands for the whole recipe directory.
    /// The answer is the digest of an [`InputTree`](super::InputTree) with paths relative to this path's parent; it
    /// is empty if nothing begins so. The engine's own directories (install and work) never count.
    Mention(PathBuf),
    /// The commit that a branch or tag of a repository stands for. The answer is the commit, in hex.
    GitReference {
        /// The repository.
        url: String,
        /// A branch, tag or full reference name.
        reference: String,
    },
    /// The output of a command such as `cc --version`. The answer is what it printed.
    Probe(String),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::File(path) | Input::Tree { path, .. } => write!(f, "{}", path.display()),
            Input::Mention(path) if path.is_absolute() => write!(f, "{}", path.display()),
            Input::Mention(path) => write!(f, "@{{recipe_dir}}/{}", path.display()),
            Input::GitReference { url, reference } => write!(f, "{} {reference}", without_credentials(url)),
            Input::Probe(command) => f.write_str(command),
        }
    }
}
