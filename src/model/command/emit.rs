//! `emit`: a line of output.

use super::Command;

/// Says something in the task's output and log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit {
    pub(crate) text: String,
    pub(crate) error: bool,
}

impl Emit {
    /// A line of ordinary output. Path words in it are replaced.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), error: false }
    }

    /// A line that reports show as an error. The task goes on.
    pub fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), error: true }
    }
}

impl From<Emit> for Command {
    fn from(step: Emit) -> Self {
        Command::Emit(step)
    }
}
