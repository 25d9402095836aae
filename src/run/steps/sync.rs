//! Carries out a `sync`: makes one directory equal to another.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};
use crate::host::copy::{Decide, sync};
use crate::model::command::Sync;
use crate::run::context::Context;

pub(super) fn run(step: &Sync, context: &Context<'_>) -> Result<()> {
    let source = context.path(step.dir.as_deref(), &step.source);
    let dest = context.path(step.dir.as_deref(), &step.dest);
    let decide = step.decide.as_ref().map(|decide| -> Decide<'_> { &*decide.ask });
    sync(&source, &dest, &patterns(&step.excludes)?, decide)
}

/// Patterns as one set.
fn patterns(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(unusable)?);
    }
    set.build().map_err(unusable)
}

fn unusable(error: globset::Error) -> Error {
    Error::Step { step: "sync".into(), problem: error.to_string() }
}
