//! Carries out a `mkdir`: a directory, with or without its parents.

use crate::error::Result;
use crate::host::copy::mkdir;
use crate::model::command::Mkdir;
use crate::run::context::Context;

pub(super) fn run(step: &Mkdir, context: &Context<'_>) -> Result<()> {
    mkdir(&context.path(None, &step.path), step.parents, step.mode)
}
