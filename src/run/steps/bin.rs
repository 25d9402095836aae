//! Carries out a `bin`: finds a program that the product has installed and runs it without a shell.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::host::process::Process;
use crate::model::command::Bin;
use crate::run::context::Context;

pub(super) fn run(step: &Bin, context: &Context<'_>) -> Result<()> {
    let program = find(step, context)?;
    let args = step.args.iter().map(|arg| context.paths.expand(OsStr::new(arg)).into_owned());
    let words: Vec<OsString> = std::iter::once(program.into_os_string()).chain(args).collect();
    let variables = context.variables(&step.env);
    let dir = context.dir(step.dir.as_deref());
    let process =
        Process::program(&words, &variables, &dir, context.cancel).limit(context.limit).jobserver(context.jobserver);
    super::run_process(&process, context)
}

fn find(step: &Bin, context: &Context<'_>) -> Result<PathBuf> {
    let install_dir = &context.paths.install_dir;
    let places = ["bin", "embedded/bin"].map(|dir| install_dir.join(dir).join(&step.program));
    places.into_iter().find(|path| path.exists()).ok_or_else(|| Error::Step {
        step: format!("bin {}", step.program),
        problem: format!("there is no such program in `bin` or `embedded/bin` of `{}`", install_dir.display()),
    })
}
