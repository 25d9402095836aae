//! `cortado cache stats`: how full the stores are, and what they were good for.

use super::{Chosen, Here};
use crate::cli::args::{Common, Stats};
use crate::cli::terminal::Terminal;
use crate::{CacheStats, Exit, Ledger, Result, Statistics, StoreStats, TierSpec};

pub(super) fn run(common: &Common, args: &Stats, terminal: &Terminal) -> Result<Exit> {
    let here = Here::look(common, terminal)?;
    let ledger = here.spec.ledger.as_ref().map(Ledger::new);
    if let (true, Some(ledger)) = (args.zero, &ledger) {
        ledger.zero()?;
    }
    let mut statistics = ledger.map_or_else(|| Ok(Statistics::default()), |ledger| ledger.read())?;
    if let Some(name) = &args.store.store {
        statistics.tiers.retain(|tier, _| tier == name);
    }
    let stores = here.all(&args.store)?.iter().map(look).collect();
    let stats = CacheStats::new(stores, statistics);
    if terminal.json() {
        terminal.report_json(&stats)?;
    } else {
        terminal.report(&stats.text(terminal.paint()))?;
    }
    Ok(Exit::Success)
}

fn look(tier: &TierSpec) -> StoreStats {
    match Chosen::of(tier) {
        Ok(chosen) => {
            let usage = chosen.directory.as_ref().map(|directory| directory.usage()).transpose();
            StoreStats::new(tier.name(), chosen.store.place(), usage.map_err(|error| format!("{error:#}")))
        }
        Err(error) => StoreStats::new(tier.name(), tier.kind().word(), Err(error.to_string())),
    }
}
