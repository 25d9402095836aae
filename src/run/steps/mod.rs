//! The steps: one file per kind of command, each doing what its data says.

mod bin;
mod block;
mod copy;
mod emit;
mod link;
mod mkdir;
mod patch;
mod shell;
mod sync;
mod template;

use super::context::Context;
use super::event::Event;
use crate::error::Result;
use crate::host::process::{Ending, Process};
use crate::model::Command;

/// Runs all steps of a task, in order, up to the first that fails.
pub(crate) fn run_all(commands: &[Command], context: &Context<'_>) -> Result<()> {
    for (index, command) in commands.iter().enumerate() {
        context.cancel.check()?;
        let title = context.secrets.mask_text(command.title());
        context.log.line(format!("[{}/{}] {title}", index + 1, commands.len()).as_bytes())?;
        context.tell(Event::StepStarted { task: context.task.clone(), step: index + 1, steps: commands.len(), title });
        run(command, context).map_err(|error| context.secrets.mask_error(error))?;
    }
    Ok(())
}

/// Runs one step.
pub(crate) fn run(command: &Command, context: &Context<'_>) -> Result<()> {
    match command {
        Command::Shell(step) => shell::run(step, context),
        Command::Bin(step) => bin::run(step, context),
        Command::Copy(step) => copy::run(step, context),
        Command::Sync(step) => sync::run(step, context),
        Command::Link(step) => link::run(step, context),
        Command::Mkdir(step) => mkdir::run(step, context),
        Command::Patch(step) => patch::run(step, context),
        Command::Template(step) => template::run(step, context),
        Command::Block(step) => block::run(step, context),
        Command::Emit(step) => emit::run(step, context),
    }
}

/// Runs a process with its output going to the log and the observers.
fn run_process(process: &Process<'_>, context: &Context<'_>) -> Result<()> {
    let mut said = Ok(());
    let ending = process.run(&mut |line| {
        if said.is_ok() {
            said = context.output(line, false);
        }
    })?;
    said?;
    if ending == Ending::Abandoned {
        context.warn("the step left processes behind, which held its output open in silence and were killed")?;
    }
    Ok(())
}
