//! `cortado manifest`: what the product is made of, as JSON.

use super::args::Common;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{Exit, Manifest, Result};

pub(super) fn run(common: &Common, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let preview = loaded.locate(loaded.engine().preview())?;
    terminal.report_json(&Manifest::of(&preview))?;
    Ok(Exit::Success)
}
