//! `cortado list`: the tasks with their versions and dependencies.

use super::args::Common;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{Exit, Result, TaskList};

pub(super) fn run(common: &Common, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let listing = loaded.locate(TaskList::of(loaded.project()))?;
    if terminal.json() {
        terminal.report_json(&listing)?;
    } else {
        terminal.report(&listing.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}
