//! `cortado plan`: what a build would do, without doing anything.

use super::args::{Common, Plan};
use super::cache;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{Exit, PlanReport, Result};

pub(super) fn run(common: &Common, args: &Plan, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let engine = cache::taken_for_granted(loaded.engine(), args.cache.mode()).only(&args.tasks);
    let report = PlanReport::of(&loaded.locate(engine.preview())?);
    if terminal.json() {
        terminal.report_json(&report)?;
    } else {
        terminal.report(&report.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}
