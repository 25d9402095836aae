//! The cache as it is configured for one project: values that say which stores there are and how they are used.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::entry::mistake;
use super::key::Form;
use super::origin::SettingOrigin;
use super::secret::SecretSource;
use super::settings::{Heard, Settings};
use super::store_kind::StoreKind;
use super::surroundings::LOCAL;
use super::tier::TierSpec;
use super::words;
use crate::cache::{CacheMode, CachePolicy, TierSettings, WritePolicy};
use crate::error::{Error, Result};
use crate::text;

/// What is configured for one project's cache. Nothing is opened yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CacheSpec {
    /// Which way artifacts travel.
    pub mode: CacheMode,
    /// What a failing cache means.
    pub policy: CachePolicy,
    /// The stores that are used, nearest first.
    pub tiers: Vec<TierSpec>,
    /// Which of them get a fresh artifact.
    pub write: WritePolicy,
    /// How many artifacts are on their way at once, where somebody says so.
    pub transfers: Option<usize>,
    /// Where runs on this machine tell each other what they are about, if they are to.
    pub flights: Option<PathBuf>,
    /// Where statistics are kept.
    pub ledger: Option<PathBuf>,
    /// A file with the secret key that signs artifacts.
    pub sign: Option<PathBuf>,
    /// The public keys of those whose artifacts are used; `None` for everybody's.
    pub trust: Option<Vec<String>>,
}

impl Settings {
    /// The cache of the project of that name.
    ///
    /// # Errors
    /// Tiers that are no stores, and stores that lack something or are not compiled in.
    pub fn cache(&self, project: &str) -> Result<CacheSpec> {
        let said = |key| self.of_cache(project, key);
        let text = |key| said(key).and_then(|heard| heard.value.as_str());
        let names = self.tier_names(project)?;
        let single = said("single_flight").and_then(|heard| heard.value.as_bool()).unwrap_or(true);
        let flights = self.surroundings.cache_dir.as_ref().filter(|_| single).map(|dir| dir.join("flights"));
        Ok(CacheSpec {
            mode: text("mode").and_then(mode_of).unwrap_or_default(),
            policy: text("policy").and_then(policy_of).unwrap_or_default(),
            tiers: names.iter().map(|name| self.tier(name)).collect::<Result<_>>()?,
            write: said("write").map(data).transpose()?.unwrap_or_default(),
            transfers: said("transfers").map(data).transpose()?,
            flights,
            ledger: self.surroundings.cache_dir.clone(),
            sign: text("sign").map(PathBuf::from),
            trust: said("trust").map(data).transpose()?,
        })
    }

    /// The names of all stores, whether they are used or not.
    pub fn stores(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The store of that name.
    ///
    /// # Errors
    /// When there is none, or it lacks something, or is not compiled in.
    pub fn tier(&self, name: &str) -> Result<TierSpec> {
        let Some((kind, origin)) = self.kinds.get(name) else {
            return Err(Error::Unknown {
                kind: "store",
                name: name.to_owned(),
                wanted_by: None,
                nearest: text::nearest(name, self.stores()),
            });
        };
        compiled(name, *kind, origin)?;
        let (options, secrets) = self.options(name, *kind, origin)?;
        let settings = self.tier_settings(name, *kind)?;
        let netrc = self.of_store(name, words::NETRC_KEY).is_some_and(|heard| heard.value == true);
        Ok(TierSpec { name: name.to_owned(), kind: *kind, options, secrets, netrc, settings })
    }

    fn tier_names(&self, project: &str) -> Result<Vec<String>> {
        let Some(said) = self.of_cache(project, "tiers") else { return self.default_tiers() };
        let names: Vec<String> = data(said)?;
        for name in &names {
            if !self.kinds.contains_key(name) {
                let near = text::nearest(name, self.stores()).map(|near| format!("did you mean `{near}`?"));
                let hint = near.unwrap_or_else(|| format!("a store is configured by a table `[stores.{name}]`"));
                return Err(mistake(&said.origin, format!("there is no store `{name}`"), hint));
            }
        }
        Ok(names)
    }

    /// The store of this machine, and behind it the one that is configured. Of several nobody knows which is nearer.
    fn default_tiers(&self) -> Result<Vec<String>> {
        let others: Vec<_> = self.kinds.iter().filter(|(name, _)| *name != LOCAL).collect();
        if let [_, (name, (_, origin)), ..] = others.as_slice() {
            let all = others.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let problem = format!("`{name}` is one of several stores, and nobody says in which order they are asked");
            return Err(mistake(
                origin,
                problem,
                format!("write `tiers = [\"{LOCAL}\", {all}]` in `[cache]`, nearest first"),
            ));
        }
        Ok([LOCAL].into_iter().chain(others.iter().map(|(name, _)| name.as_str())).map(str::to_owned).collect())
    }

    /// What a store's own specification says, without its secrets.
    fn options(
        &self,
        name: &str,
        kind: StoreKind,
        origin: &SettingOrigin,
    ) -> Result<(Map<String, Value>, Vec<SecretSource>)> {
        let (mut options, mut secrets) = (Map::new(), Vec::new());
        for key in kind.keys() {
            match self.of_store(name, key.name) {
                _ if key.name == words::NETRC_KEY => {}
                Some(heard) if key.kind.is_secret() || heard.form != Form::Plain => secrets.push(secret(name, heard)),
                Some(heard) => put(&mut options, key.at, heard.value.clone()),
                None if key.needed && name == LOCAL => options.extend(self.local_dir()),
                None if key.needed => {
                    return Err(mistake(origin, format!("`stores.{name}.{}` is missing", key.name), ""));
                }
                None => {}
            }
        }
        Ok((options, secrets))
    }

    /// The directory of this machine's own store; nothing where nobody says where caches lie.
    fn local_dir(&self) -> Option<(String, Value)> {
        let dir = self.surroundings.cache_dir.as_ref()?.join("artifacts");
        Some(("path".to_owned(), dir.to_str()?.into()))
    }

    fn tier_settings(&self, name: &str, kind: StoreKind) -> Result<TierSettings> {
        let defaults = if kind == StoreKind::Directory { TierSettings::default() } else { TierSettings::remote() };
        let Value::Object(mut settings) = serde_json::to_value(&defaults).map_err(|error| Error::User(error.into()))?
        else {
            return Ok(defaults);
        };
        let said = words::TIER.iter().filter_map(|key| self.of_store(name, key.name));
        settings.extend(said.map(|heard| (heard.key.name.to_owned(), heard.value.clone())));
        serde_json::from_value(Value::Object(settings)).map_err(|error| Error::Invalid {
            place: format!("store `{name}`"),
            problem: error.to_string(),
            hint: String::new(),
        })
    }
}

/// A value in the type that is wanted.
fn data<T: DeserializeOwned>(heard: &Heard) -> Result<T> {
    serde_json::from_value(heard.value.clone()).map_err(|error| mistake(&heard.origin, error.to_string(), ""))
}

fn secret(store: &str, heard: &Heard) -> SecretSource {
    let key = format!("stores.{store}.{}", heard.key.name);
    let text = heard.value.as_str().unwrap_or_default().to_owned();
    let at = heard.key.at;
    match heard.form {
        Form::Plain => SecretSource::given(key, at, text),
        Form::File => SecretSource::file(key, at, text),
        Form::Command => SecretSource::command(key, at, text),
    }
}

/// Puts a value at `network.proxy`.
fn put(options: &mut Map<String, Value>, at: &str, value: Value) {
    match at.split_once('.') {
        None => _ = options.insert(at.to_owned(), value),
        Some((outer, inner)) => {
            let below = options.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                put(below, inner, value);
            }
        }
    }
}

fn compiled(name: &str, kind: StoreKind, origin: &SettingOrigin) -> Result<()> {
    if kind.is_compiled() {
        return Ok(());
    }
    let word = kind.word();
    let problem = format!("store `{name}`: this cortado was built without stores of type `{word}`");
    Err(mistake(origin, problem, format!("install one that has them: `cargo install cortado --features {word}`")))
}

fn mode_of(word: &str) -> Option<CacheMode> {
    Some(match word {
        "read-write" => CacheMode::ReadWrite,
        "read-only" => CacheMode::ReadOnly,
        "write-only" => CacheMode::WriteOnly,
        "recache" => CacheMode::Recache,
        "off" => CacheMode::Off,
        _ => return None,
    })
}

fn policy_of(word: &str) -> Option<CachePolicy> {
    Some(match word {
        "degrade" => CachePolicy::Degrade,
        "warn" => CachePolicy::Warn,
        "require-read" => CachePolicy::RequireRead,
        "require-write" => CachePolicy::RequireWrite,
        _ => return None,
    })
}
