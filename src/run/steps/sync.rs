//! Carries out a `sync`: makes one directory equal to another.

use crate::error::Result;
use crate::host::copy::{Decide, sync};
use crate::model::command::Sync;
use crate::model::pattern_set;
use crate::run::context::Context;

pub(super) fn run(step: &Sync, context: &Context<'_>) -> Result<()> {
    let source = context.path(step.dir.as_deref(), &step.source);
    let dest = context.path(step.dir.as_deref(), &step.dest);
    let decide = step.decide.as_ref().map(|decide| -> Decide<'_> { &*decide.ask });
    sync(&source, &dest, &pattern_set("sync", &step.excludes)?, decide)
}
