//! `cortado cache show`: where an artifact comes from, who signed it, what is in it.

use std::io::{self, Read};
use std::time::SystemTime;

use anyhow::Context;

use super::{Chosen, absent, object};
use crate::cli::args::{Common, Tagged};
use crate::cli::terminal::Terminal;
use crate::{Exit, Inspection, Listed, ObjectReport, Result, inspect};

pub(super) fn run(common: &Common, args: &Tagged, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let name = object(&args.tag);
    let Some((listed, inspection)) = look(&chosen, &name)? else { return Err(absent(&name, &chosen.name)) };
    let report = ObjectReport::new(&chosen.name, listed, inspection);
    if terminal.json() {
        terminal.report_json(&report)?;
    } else {
        terminal.report(&report.text(SystemTime::now(), terminal.paint()))?;
    }
    Ok(Exit::Success)
}

fn look(chosen: &Chosen, name: &str) -> Result<Option<(Listed, Inspection)>> {
    // Asked first: looking into it is a use.
    let known = chosen.describe(name)?;
    let Some(content) = chosen.store.get(name)? else { return Ok(None) };
    let mut content = Measured { content, bytes: 0 };
    let tag = name.trim_end_matches(".tar.gz");
    let inspection = inspect(tag, &mut content).with_context(|| format!("artifact `{tag}`"))?;
    Ok(Some((known.unwrap_or_else(|| Listed::new(name, content.bytes, None)), inspection)))
}

/// A content whose size is found out by reading it.
struct Measured<R> {
    content: R,
    bytes: u64,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}
