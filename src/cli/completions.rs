//! `cortado completions`: a script that completes the command line in a shell.

use clap::CommandFactory;

use super::args::{Args, Completions};
use super::terminal::Terminal;
use crate::{Exit, Result};

pub(super) fn run(args: &Completions, terminal: &Terminal) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "cortado", &mut script);
    terminal.report(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
