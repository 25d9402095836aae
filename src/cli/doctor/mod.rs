//! `cortado doctor`: finds out what is wrong, and says what to do about it.

mod keys;
mod probe;

use super::args::{Common, Doctor, StoreArg};
use super::cache::Here;
use super::terminal::Terminal;
use crate::{Check, Diagnosis, Exit, Result, TierSpec, Verdict};

pub(super) fn run(common: &Common, args: &Doctor, terminal: &Terminal) -> Result<Exit> {
    let diagnosis = Diagnosis::new(checks(common, args, terminal));
    if terminal.json() {
        terminal.report_json(&diagnosis)?;
    } else {
        terminal.report(&diagnosis.text(terminal.paint()))?;
    }
    Ok(diagnosis.exit())
}

/// Everything that is looked at. What cannot be found out without the configuration is left out when that is wrong.
fn checks(common: &Common, args: &Doctor, terminal: &Terminal) -> Vec<Check> {
    let (here, tiers) = match look(common, args, terminal) {
        Ok(found) => found,
        Err(error) => {
            let remedy = error.hint().unwrap_or_default();
            return vec![Check::new("configuration", Verdict::wrong(error.to_string(), remedy))];
        }
    };
    let found = match here.settings.iter().count() {
        0 => "nothing is configured; artifacts are kept in a directory of your own".to_owned(),
        1 => "1 key is set".to_owned(),
        count => format!("{count} keys are set"),
    };
    let mut checks = vec![Check::new("configuration", Verdict::well(found))];
    checks.extend(keys::check(&here.spec));
    checks.extend(tiers.iter().map(|tier| Check::new(format!("store {}", tier.name()), probe::check(tier))));
    checks
}

fn look(common: &Common, args: &Doctor, terminal: &Terminal) -> Result<(Here, Vec<TierSpec>)> {
    let here = Here::look(common, terminal)?;
    let tiers = match args.store.as_slice() {
        [] => here.all(&StoreArg::default())?,
        names => names.iter().map(|name| here.settings.tier(name)).collect::<Result<_>>()?,
    };
    Ok((here, tiers))
}
