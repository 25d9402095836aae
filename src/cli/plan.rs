//! `cortado plan`: what a build would do, without doing anything.

use super::args::{Common, Plan};
use super::connect;
use super::recipe::Loaded;
use super::settings;
use super::terminal::Terminal;
use crate::{Exit, PlanReport, Result};

pub(super) fn run(common: &Common, args: &Plan, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let spec = settings::gather(common, &args.cache, Some(loaded.recipe()))?.cache(loaded.project().name())?;
    let engine = connect::taken_for_granted(loaded.engine(), spec.mode).only(&args.tasks);
    let report = PlanReport::of(&loaded.locate(engine.preview())?);
    if terminal.json() {
        terminal.report_json(&report)?;
    } else {
        terminal.report(&report.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}
