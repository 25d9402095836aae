//! `cortado why`: what would be done with a task, and what changed since it was last built.

use std::time::SystemTime;

use super::args::{Common, Why};
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{CacheMode, Exit, Explanation, Result};

pub(super) fn run(common: &Common, args: &Why, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let engine = super::connect::taken_for_granted(loaded.engine(), CacheMode::default()).only([&args.task]);
    let preview = loaded.locate(engine.preview())?;
    // A task that is not there has been refused by the preview.
    let Some(explanation) = Explanation::of(&preview, &args.task)? else { return Ok(Exit::Usage) };
    if terminal.json() {
        terminal.report_json(&explanation)?;
    } else {
        terminal.report(&explanation.text(SystemTime::now(), terminal.paint()))?;
    }
    Ok(Exit::Success)
}
