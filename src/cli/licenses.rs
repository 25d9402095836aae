//! `cortado licenses`: the licence of the product and of each task.

use super::args::Common;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{Exit, LicenseReport, Result};

pub(super) fn run(common: &Common, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let report = LicenseReport::of(loaded.project());
    if terminal.json() {
        terminal.report_json(&report)?;
    } else {
        terminal.report(&report.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}
