//! The user's credentials: nobody who may be a stranger leads them astray.

use super::entry::{Entry, Section};
use super::origin::Whose;
use super::settings::Settings;
use super::words;
use crate::error::{Error, Result};

/// Whatever the user's own file says a secret of, nobody who may be a stranger says the place of.
pub(super) fn stay_home(entries: &[Entry], settings: &Settings) -> Result<()> {
    for entry in entries.iter().filter(|entry| entry.whose.is_foreign()) {
        let Section::Store(name) = &entry.section else { continue };
        let users = |other: &&Entry| other.section == entry.section && other.whose == Whose::User;
        let Some(secret) = entries.iter().filter(users).find(|other| settings.is_secret(name, &other.key)) else {
            continue;
        };
        let same = entries.iter().filter(users).find(|other| other.key == entry.key);
        if is_place(entry) && !same.is_some_and(|same| settings.agree(same, entry)) {
            return Err(astray(entry, secret));
        }
    }
    Ok(())
}

/// Whether an entry says what or where a store is, rather than how it is used.
fn is_place(entry: &Entry) -> bool {
    !words::TIER.iter().any(|key| key.name == entry.key)
}

fn astray(entry: &Entry, secret: &Entry) -> Error {
    let problem = format!("does not stand in {}, which has credentials for this store", secret.origin);
    entry.wrong(problem, format!("credentials go only where their owner says: write the same `{}` there", entry.key))
}
