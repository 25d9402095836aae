//! `cortado config`: the configuration that holds, and where each part of it is said.

use super::args::{Cache, Common};
use super::recipe::Loaded;
use super::settings;
use super::terminal::Terminal;
use crate::{Exit, Result, SettingList};

pub(super) fn run(common: &Common, terminal: &Terminal) -> Result<Exit> {
    let loaded = match common.file.exists() {
        true => Some(Loaded::new(common, terminal)?),
        false => None,
    };
    let settings = settings::gather(common, &Cache::default(), loaded.as_ref().map(Loaded::recipe))?;
    let list = SettingList::of(&settings);
    if terminal.json() {
        terminal.report_json(&list)?;
    } else {
        terminal.report(&list.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}
