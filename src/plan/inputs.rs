//! Inputs, looked up: the facts about the machine and its files that a plan is computed from.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::model::Input;

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

    /// Adds the answer to an input, in the form that its kind asks for.
    pub fn insert(&mut self, input: Input, answer: impl Into<String>) {
        self.answers.insert(input, answer.into());
    }

    /// All inputs with their answers, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Input, &str)> {
        self.answers.iter().map(|(input, answer)| (input, answer.as_str()))
    }

    /// The answer to an input, if it was looked up.
    pub fn get(&self, input: &Input) -> Option<&str> {
        self.answers.get(input).map(String::as_str)
    }
}

/// Inputs as the fields ask for them. Remembers the first question that nobody has answered, so that no key is ever
/// made without an answer that counts.
pub(super) struct Answers<'i> {
    inputs: &'i Inputs,
    unanswered: OnceCell<Input>,
}

impl<'i> Answers<'i> {
    pub(super) fn of(inputs: &'i Inputs) -> Self {
        Self { inputs, unanswered: OnceCell::new() }
    }

    /// What counts for the host's platform.
    pub(super) fn platform(&self) -> &'i str {
        &self.inputs.platform
    }

    /// The answer to an input. An empty one stands in for an answer that is missing, until [`check`](Self::check).
    pub(super) fn get(&self, input: &Input) -> &'i str {
        self.inputs.get(input).unwrap_or_else(|| {
            self.unanswered.get_or_init(|| input.clone());
            ""
        })
    }

    /// Refuses what was told if it asked for an answer that is missing.
    pub(super) fn check(self, place: impl FnOnce() -> String) -> Result<()> {
        match self.unanswered.into_inner() {
            None => Ok(()),
            Some(input) => Err(Error::Invalid {
                place: place(),
                problem: format!("its input `{input}` was not looked up"),
                hint: "hand the plan an answer to every input of the project and its tasks".into(),
            }),
        }
    }
}
