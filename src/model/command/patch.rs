//! `patch`: a unified diff applied to the source.

use std::path::PathBuf;

use super::{Command, Content};

/// Applies a unified diff, like `patch -p1`: with line offsets and fuzz, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pub(crate) content: Content,
    pub(crate) strip: usize,
    pub(crate) dir: Option<PathBuf>,
}

impl Patch {
    /// A patch file of the recipe.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { content: Content::File(path.into()), strip: 1, dir: None }
    }

    /// A patch written in the recipe.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { content: Content::Inline(text.into()), strip: 1, dir: None }
    }

    /// How many leading path components of each file name to drop; 1 unless said.
    pub fn strip(mut self, components: usize) -> Self {
        self.strip = components;
        self
    }

    /// Patches files below `dir` instead of the source directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }
}

impl From<Patch> for Command {
    fn from(step: Patch) -> Self {
        Command::Patch(step)
    }
}
