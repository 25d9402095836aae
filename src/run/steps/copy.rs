//! Carries out a `copy`: files and directories, by pattern or by name.

use crate::error::Result;
use crate::host::copy::{CopyOptions, copy, expand};
use crate::model::command::Copy;
use crate::run::context::Context;

pub(super) fn run(step: &Copy, context: &Context<'_>) -> Result<()> {
    let source = context.path(step.dir.as_deref(), &step.source);
    let dest = context.path(step.dir.as_deref(), &step.dest);
    expand(&source)?.iter().try_for_each(|source| copy(source, &dest, CopyOptions::default()))
}
