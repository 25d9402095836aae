//! `cortado clean`: removes what builds have made.

use std::path::PathBuf;

use serde::Serialize;

use super::args::{Clean, Common};
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{Cleaned, Exit, JSON_FORMAT, Result};

/// What was removed, for programs.
#[derive(Serialize)]
struct CleanReport<'c> {
    format: u32,
    project: &'c str,
    dry_run: bool,
    files: &'c [PathBuf],
    work: &'c [PathBuf],
}

pub(super) fn run(common: &Common, args: &Clean, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let what = crate::Clean::new().trees(args.trees).everything(args.all).dry_run(args.dry_run);
    let said = terminal.clone();
    let engine = loaded.engine().holder("cortado clean").wait(args.lock.wait());
    let cleaned = engine.observe(move |event| said.line(&event.to_string())).clean(&what)?;
    let project = loaded.project().name();
    if terminal.json() {
        let Cleaned { files, work, .. } = &cleaned;
        terminal.report_json(&CleanReport { format: JSON_FORMAT, project, dry_run: args.dry_run, files, work })?;
    } else if !common.quiet || args.dry_run {
        terminal.report(&text(project, &cleaned, args.dry_run, common.verbose))?;
    }
    Ok(Exit::Success)
}

fn text(project: &str, cleaned: &Cleaned, dry_run: bool, verbose: bool) -> String {
    let paths = cleaned.files.iter().chain(&cleaned.work).filter(|_| dry_run || verbose);
    let mut text: String = paths.map(|path| format!("{}\n", path.display())).collect();
    let verb = if dry_run { "would remove" } else { "removed" };
    let files = match cleaned.files.len() {
        0 => None,
        1 => Some("1 installed file".to_owned()),
        count => Some(format!("{count} installed files")),
    };
    let names: Vec<_> = cleaned.work.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let work = (!names.is_empty()).then(|| format!("{} of the work directory", names.join(", ")));
    text.push_str(&match (files, work) {
        (None, None) => format!("{project}: nothing to remove\n"),
        (Some(only), None) | (None, Some(only)) => format!("{project}: {verb} {only}\n"),
        (Some(files), Some(work)) => format!("{project}: {verb} {files}; {work}\n"),
    });
    text
}
