//! `cortado cache pin` and `unpin`: what is never evicted.

use serde::Serialize;

use super::{Chosen, absent, object};
use crate::cli::args::{Common, Tagged};
use crate::cli::terminal::Terminal;
use crate::{Exit, JSON_FORMAT, Result};

#[derive(Serialize)]
struct PinReport<'a> {
    format: u32,
    store: &'a str,
    tag: &'a str,
    pinned: bool,
}

pub(super) fn pin(common: &Common, args: &Tagged, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    if !chosen.directory("pinned")?.pin(&object(&args.tag))? {
        return Err(absent(&args.tag, &chosen.name));
    }
    tell(&chosen, &args.tag, true, terminal)
}

pub(super) fn unpin(common: &Common, args: &Tagged, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let name = object(&args.tag);
    let directory = chosen.directory("pinned")?;
    if !directory.unpin(&name)? && !chosen.store.has(&name)? {
        return Err(absent(&args.tag, &chosen.name));
    }
    tell(&chosen, &args.tag, false, terminal)
}

fn tell(chosen: &Chosen, tag: &str, pinned: bool, terminal: &Terminal) -> Result<Exit> {
    let tag = tag.trim_end_matches(".tar.gz");
    if terminal.json() {
        terminal.report_json(&PinReport { format: JSON_FORMAT, store: &chosen.name, tag, pinned })?;
    } else {
        let says = if pinned { "pinned" } else { "may be evicted" };
        terminal.report(&format!("{}: {tag} {says}\n", chosen.name))?;
    }
    Ok(Exit::Success)
}
