//! `cortado cache verify` and `repair`: what is damaged, and what is in disorder.

use super::Chosen;
use crate::cli::args::{Common, Repair, StoreArg};
use crate::cli::terminal::Terminal;
use crate::{Exit, FindingList, Flaw, Result, Store, inspect};

pub(super) fn verify(common: &Common, args: &StoreArg, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, args, terminal)?;
    let flaws: Vec<Flaw> = match &chosen.directory {
        Some(directory) => directory.verify()?.collect::<Result<_, _>>()?,
        None => flaws(&*chosen.store)?,
    };
    let list = FindingList::of_flaws(&chosen.name, flaws);
    tell(&list, terminal)?;
    Ok(if list.is_empty() { Exit::Success } else { Exit::Failed })
}

pub(super) fn repair(common: &Common, args: &Repair, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let findings = chosen.directory("repaired")?.repair(args.dry_run)?;
    tell(&FindingList::of_findings(&chosen.name, args.dry_run, findings), terminal)?;
    Ok(Exit::Success)
}

/// Fetches every artifact and reads it to its end.
fn flaws(store: &dyn Store) -> Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    for object in store.list()? {
        let name = object?.name;
        let Some(content) = store.get(&name)? else { continue };
        if let Err(error) = inspect(name.trim_end_matches(".tar.gz"), content) {
            flaws.push(Flaw::new(name, format!("{error:#}")));
        }
    }
    Ok(flaws)
}

fn tell(list: &FindingList, terminal: &Terminal) -> Result<()> {
    if terminal.json() { terminal.report_json(list) } else { terminal.report(&list.text(terminal.paint())) }
}
