//! How a recipe is read: the facts about the machine that it sees, and what it may use up.

use std::time::Duration;

use super::limits::Limits;
use crate::Platform;

/// How a recipe is read. Begin with [`RecipeOptions::default`] and change what is different.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecipeOptions {
    /// The machine that the recipe sees as `platform`; unless said, this one.
    pub platform: Option<Platform>,
    /// How many instructions of Lua's machine the recipe may run, and then each block and each callback; 50 million
    /// unless said, less than a second.
    pub instructions: u64,
    /// How many bytes of memory a Lua state may use; 256 MiB unless said.
    pub memory: usize,
    /// The longest that reading the recipe may take, whatever it does; ten seconds unless said.
    pub time_limit: Duration,
}

impl Default for RecipeOptions {
    fn default() -> Self {
        Self { platform: None, instructions: 50_000_000, memory: 256 << 20, time_limit: Duration::from_secs(10) }
    }
}

impl RecipeOptions {
    pub(super) fn limits(&self) -> Limits {
        Limits { instructions: self.instructions, memory: self.memory, time: Some(self.time_limit) }
    }
}
