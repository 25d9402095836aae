//! The command line: reads options, runs the engine, and tells people or other programs what happened.
//!
//! It uses the crate as any outsider would, through its public names. Here, and nowhere else, the terminal, the
//! environment and the home directory are looked at, and only when something is needed of them.

mod args;
mod build;
mod cache;
mod clean;
mod clock;
mod commit;
mod completions;
mod config;
mod connect;
mod credentials;
mod doctor;
mod interrupt;
mod licenses;
mod list;
mod live;
mod manifest;
mod memory;
mod netrc;
mod origin;
mod plan;
mod recipe;
mod screen;
mod serve;
mod settings;
mod terminal;
mod why;

use std::process::ExitCode;

use args::{Args, Verb};
use clap::Parser;
use terminal::Terminal;

use crate::{Exit, Result};

/// Runs the `cortado` program with the arguments of this process.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(help) => return refuse(&help),
    };
    let terminal = Terminal::new(&args.common);
    let exit = run(&args, &terminal).unwrap_or_else(|error| terminal.fail(&error));
    exit.into()
}

fn run(args: &Args, terminal: &Terminal) -> Result<Exit> {
    let common = &args.common;
    match &args.verb {
        Verb::Build(args) => build::run(common, args, terminal),
        Verb::Plan(args) => plan::run(common, args, terminal),
        Verb::List => list::run(common, terminal),
        Verb::Why(args) => why::run(common, args, terminal),
        Verb::Manifest => manifest::run(common, terminal),
        Verb::Licenses => licenses::run(common, terminal),
        Verb::Clean(args) => clean::run(common, args, terminal),
        Verb::Serve(args) => serve::run(common, args, terminal),
        Verb::Cache(args) => cache::run(common, args, terminal),
        Verb::Config => config::run(common, terminal),
        Verb::Doctor(args) => doctor::run(common, args, terminal),
        Verb::Completions(args) => completions::run(args, terminal),
    }
}

/// Shows a help text, or what is wrong with the command line.
fn refuse(help: &clap::Error) -> ExitCode {
    let _nobody_listens = help.print();
    if help.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}
