//! Carries out a `command`: a text for the shell, in the environment of its task.

use std::ffi::OsStr;

use crate::error::Result;
use crate::host::process::Process;
use crate::model::command::Shell;
use crate::run::context::Context;

pub(super) fn run(step: &Shell, context: &Context<'_>) -> Result<()> {
    let line = context.paths.expand(OsStr::new(&step.line)).into_owned();
    let variables = context.variables(&step.env);
    let dir = context.dir(step.dir.as_deref());
    let process =
        Process::shell(&line, &variables, &dir, context.cancel).limit(context.limit).jobserver(context.jobserver);
    super::run_process(&process, context)
}
