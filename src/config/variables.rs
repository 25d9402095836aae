//! The variables: `CORTADO_CACHE_<KEY>` and `CORTADO_STORES_<NAME>_<KEY>`, read into entries.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use super::entry::{Entry, Said, Section, mistake};
use super::key::Key;
use super::origin::{SettingOrigin, Whose};
use super::store_kind::StoreKind;
use super::words;
use crate::error::Result;
use crate::text;

const CACHE: &str = "CORTADO_CACHE_";
const STORES: &str = "CORTADO_STORES_";

/// An old name: the directory of the store `local`.
pub(super) const DIR: &str = "CORTADO_CACHE_DIR";

/// What a variable is named after.
type Place = (Section, String);

/// What the environment says. `stores` are the names that are known from elsewhere.
///
/// # Errors
/// A variable of ours that no key belongs to, or that is no UTF-8.
pub(super) fn entries(variables: &[(OsString, OsString)], stores: &BTreeSet<String>, dir: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(CACHE) || name.starts_with(STORES)) else {
            continue;
        };
        if value.is_empty() {
            continue; // as good as not set: that is how one takes a variable back in many a CI
        }
        let origin = SettingOrigin::Variable(name.to_owned());
        let (section, key) = place(name, stores, &origin)?;
        let value = value.to_str().ok_or_else(|| mistake(&origin, "its value is no UTF-8".into(), ""))?;
        let said = Said::Text(value.to_owned());
        entries.push(Entry { section, key, said, whose: Whose::Environment, origin, dir: dir.to_path_buf() });
    }
    Ok(entries)
}

fn place(name: &str, stores: &BTreeSet<String>, origin: &SettingOrigin) -> Result<Place> {
    if name == DIR {
        return Ok((Section::Store(super::surroundings::LOCAL.into()), "path".into()));
    }
    if let Some(key) = name.strip_prefix(CACHE) {
        return Ok((Section::Cache, known(key, words::CACHE, CACHE, origin)?));
    }
    let rest = name.strip_prefix(STORES).unwrap_or(name);
    match stores.iter().filter_map(|store| Some((store, of_store(rest, store)?))).max_by_key(|(store, _)| store.len()) {
        Some((store, key)) => Ok((Section::Store(store.clone()), key.to_lowercase())),
        None => of_new_store(rest, stores, origin),
    }
}

/// The key of a variable that belongs to a store of that name.
fn of_store<'v>(rest: &'v str, store: &str) -> Option<&'v str> {
    rest.strip_prefix(&variable(store))?.strip_prefix('_')
}

/// A store that only the environment speaks of: its name is what stands before a key, the longest that fits.
fn of_new_store(rest: &str, stores: &BTreeSet<String>, origin: &SettingOrigin) -> Result<Place> {
    let keys = all_keys();
    let ends = keys.iter().filter_map(|key| Some((key, rest.strip_suffix(&variable(key))?.strip_suffix('_')?)));
    match ends.filter(|(_, store)| !store.is_empty()).max_by_key(|(key, _)| key.len()) {
        Some((key, store)) => Ok((Section::Store(store.to_lowercase().replace('_', "-")), key.clone())),
        None => {
            let key = rest.rsplit_once('_').map_or(rest, |(_, key)| key).to_lowercase();
            let near = text::nearest(&key, keys.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean `…_{}`?", variable(&near)));
            let known = || format!("known stores: {}", stores.iter().cloned().collect::<Vec<_>>().join(", "));
            Err(mistake(origin, "no key of any store ends this name".into(), hint.unwrap_or_else(known)))
        }
    }
}

fn known(key: &str, keys: &[Key], prefix: &str, origin: &SettingOrigin) -> Result<String> {
    let key = key.to_lowercase();
    if keys.iter().any(|known| known.name == key) {
        return Ok(key);
    }
    let names = keys.iter().map(|key| key.name);
    let hint = match text::nearest(&key, names.clone()) {
        Some(near) => format!("did you mean `{prefix}{}`?", variable(&near)),
        None => format!("known keys: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(mistake(origin, "no key has this name".into(), hint))
}

/// Every key that a store can have.
fn all_keys() -> BTreeSet<String> {
    let keys = StoreKind::ALL.iter().flat_map(|kind| kind.keys()).chain(words::TIER).chain([&words::TYPE]);
    keys.flat_map(Key::spellings).map(|(name, _)| name).collect()
}

/// A name as variables have it.
fn variable(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
