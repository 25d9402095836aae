//! Carries out a `block`: calls the user's code and makes its errors and panics values.

use crate::cache::guard::{Trouble, caught};
use crate::error::{Error, Result};
use crate::model::Scope;
use crate::model::command::Block;
use crate::run::context::Context;

pub(super) fn run(step: &Block, context: &Context<'_>) -> Result<()> {
    let run = |command: &crate::model::Command| super::run(command, context);
    let scope = Scope::new(&context.task, &context.paths, &run);
    caught(|| (step.run)(&scope)).map_err(|trouble| match trouble {
        _ if context.cancel.is_cancelled() => Error::Interrupted,
        Trouble::Failed(problem) => {
            Error::Step { step: format!("block {}", step.name.as_deref().unwrap_or("(unnamed)")), problem }
        }
        Trouble::TimedOut(_) | Trouble::Cancelled => Error::Interrupted,
    })
}
