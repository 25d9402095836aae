//! `block`: code of the caller, run as a step.

use std::sync::Arc;

use super::Command;
use crate::model::scope::Scope;

/// A function of the caller's, run as a step. A Rust closure has no text that could be hashed, so a text stands for it
/// in the shasum: the [`block!`](crate::block) macro takes the closure's own tokens.
#[derive(Clone)]
pub struct Block {
    pub(crate) name: Option<String>,
    pub(crate) text: String,
    pub(crate) run: Run,
}

type Run = Arc<dyn Fn(&Scope<'_>) -> anyhow::Result<()> + Send + Sync>;

impl Block {
    /// A block whose `text` counts into the shasum in place of the function. Change it whenever the function, or
    /// anything that the function captures, changes.
    pub fn new<F>(text: impl Into<String>, run: F) -> Self
    where
        F: Fn(&Scope<'_>) -> anyhow::Result<()> + Send + Sync + 'static,
    {
        Self { name: None, text: text.into(), run: Arc::new(run) }
    }

    /// Names the block, for progress and errors.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block").field("name", &self.name).field("text", &self.text).finish_non_exhaustive()
    }
}

impl From<Block> for Command {
    fn from(step: Block) -> Self {
        Command::Block(step)
    }
}

/// Makes a [`Block`] of a closure, with the closure's tokens as the text that counts into the
/// shasum. Comments and layout are no tokens and do not count.
///
/// What the closure captures and the functions that it calls do not count either: if they can change, use
/// [`Block::new`](crate::command::Block::new) with a text that names them. A function's name in place of a closure is
/// refused for that reason.
///
/// ```
/// let task = cortado::Task::new("hello").version("1").block(cortado::block!(|scope| {
///     scope.write("hello.txt", "hello", None)?;
///     Ok(())
/// }));
/// ```
///
/// ```compile_fail
/// fn hello(_: &cortado::Scope<'_>) -> anyhow::Result<()> { Ok(()) }
/// cortado::block!(hello);
/// ```
#[macro_export]
macro_rules! block {
    (move | $($closure:tt)+) => {
        $crate::command::Block::new(::core::stringify!(move | $($closure)+), move | $($closure)+)
    };
    (| $($closure:tt)+) => {
        $crate::command::Block::new(::core::stringify!(| $($closure)+), | $($closure)+)
    };
}
