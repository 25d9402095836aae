//! Carries out an `emit`: says lines in the task's output.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::error::Result;
use crate::model::command::Emit;
use crate::run::context::Context;

pub(super) fn run(step: &Emit, context: &Context<'_>) -> Result<()> {
    let text = context.paths.expand(OsStr::new(&step.text)).into_owned();
    text.as_bytes().split(|byte| *byte == b'\n').try_for_each(|line| context.output(line, step.error))
}
