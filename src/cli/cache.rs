//! The cache of a command: the recipe's own, or a directory in the user's cache directory that all projects share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::Cache;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{CacheMode, CachePolicy, Callbacks, DirectoryStore, Engine, Error, Result};

/// An engine with the cache that the options and the recipe ask for.
///
/// A default cache that cannot be used is a warning, unless the policy asks for more.
pub(super) fn connect<'p>(
    engine: Engine<'p>,
    options: &Cache,
    policy: CachePolicy,
    loaded: &Loaded,
    terminal: &Terminal,
) -> Result<Engine<'p>> {
    let mode = options.mode();
    let engine = engine.cache_mode(mode).cache_policy(policy);
    if mode == CacheMode::Off {
        return Ok(engine);
    }
    if let Some(callbacks) = loaded.recipe().callbacks() {
        return Ok(engine.shared_callbacks(callbacks));
    }
    match open(options) {
        Ok(store) => Ok(engine.store(store)),
        Err(error) if policy.requires_read() => Err(Error::Cache {
            operation: "opening",
            tag: options.cache_dir.as_deref().map_or("default".into(), |dir| dir.display().to_string()),
            reason: error.to_string(),
        }),
        Err(error) => {
            terminal.say(&format!("warning: going on without a cache: {error}\n"));
            Ok(engine)
        }
    }
}

/// An engine that takes a cache for granted, for looking ahead: nothing is opened or asked.
pub(super) fn taken_for_granted(engine: Engine<'_>, mode: CacheMode) -> Engine<'_> {
    engine.cache_mode(mode).callbacks(Assumed)
}

/// A cache that is never asked.
struct Assumed;

impl Callbacks for Assumed {}

fn open(options: &Cache) -> Result<DirectoryStore> {
    let dir = match &options.cache_dir {
        Some(dir) => dir.clone(),
        None => default_dir(|name| std::env::var_os(name)).ok_or_else(|| Error::Invalid {
            place: "cache directory".into(),
            problem: "neither XDG_CACHE_HOME nor HOME says where it is".into(),
            hint: "give one with `--cache-dir`, or do without by `--no-cache`".into(),
        })?,
    };
    let dir = std::path::absolute(&dir).map_err(|source| Error::Io { verb: "find", path: dir, source })?;
    DirectoryStore::open(dir)
}

/// Where the XDG base directory specification has caches; relative paths do not count.
fn default_dir(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let dir = |name| variable(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let caches = dir("XDG_CACHE_HOME").or_else(|| dir("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join(Path::new("cortado/artifacts")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_follows_the_base_directory_specification() {
        let with = |pairs: &'static [(&str, &str)]| {
            default_dir(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert_eq!(with(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), Some("/c/cortado/artifacts".into()));
        assert_eq!(with(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), Some("/h/.cache/cortado/artifacts".into()));
        assert_eq!(with(&[]), None);
    }
}
