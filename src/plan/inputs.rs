//! Inputs, looked up: the facts about the machine and its files that a plan is computed from.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::model::{Input, Task};

/// The answers to every [`Input`] of the tasks to be planned, and what the host is. The engine gathers them; a test or
/// an embedder may just as well make them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    platform: String,
    answers: HashMap<Input, String>,
}

impl Inputs {
    /// No answers yet. `platform` is the text that counts for [`PlatformKey::Host`](crate::PlatformKey::Host).
    pub fn new(platform: impl Into<String>) -> Self {
        Self { platform: platform.into(), answers: HashMap::new() }
    }

    /// Adds the answer to an input: a digest in hex, a commit, the output of a probe.
    pub fn insert(&mut self, input: Input, answer: impl Into<String>) {
        self.answers.insert(input, answer.into());
    }

    /// The answer to an input, if it was looked up.
    pub fn get(&self, input: &Input) -> Option<&str> {
        self.answers.get(input).map(String::as_str)
    }

    /// What counts for the host's platform.
    pub(crate) fn platform(&self) -> &str {
        &self.platform
    }

    /// Checks that every input of `task` was looked up.
    pub(crate) fn check(&self, task: &Task) -> Result<()> {
        match task.all_inputs().into_iter().find(|input| !self.answers.contains_key(input)) {
            None => Ok(()),
            Some(input) => Err(Error::Invalid {
                place: format!("task `{}`", task.name()),
                problem: format!("{input:?} was not looked up"),
                hint: "hand the plan an answer to every input of its tasks".into(),
            }),
        }
    }
}
