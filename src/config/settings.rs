//! The settings: what holds, key by key, and who said so.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::entry::{Entry, Section};
use super::judgement::{Meaning, meaning};
use super::key::{Form, Key};
use super::kind::Kind;
use super::origin::{SettingOrigin, Whose};
use super::store_kind::StoreKind;
use super::surroundings::Surroundings;
use crate::error::Result;

/// What holds. Made by [`Configuration::merge`](super::Configuration::merge).
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) surroundings: Surroundings,
    pub(super) kinds: BTreeMap<String, (StoreKind, SettingOrigin)>,
    heard: BTreeMap<(Section, &'static str), Heard>,
}

/// A value, and who said so.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) key: &'static Key,
    pub(super) form: Form,
    pub(super) value: Value,
    pub(super) whose: Whose,
    pub(super) origin: SettingOrigin,
}

/// A setting, to be shown: nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// `stores.far.url`.
    pub key: String,
    /// Its value; `***` where it is secret.
    pub value: Value,
    /// Who said so.
    pub whose: Whose,
    /// Where that stands.
    pub origin: SettingOrigin,
}

impl Settings {
    pub(super) fn new(surroundings: Surroundings, kinds: BTreeMap<String, (StoreKind, SettingOrigin)>) -> Self {
        Self { surroundings, kinds, heard: BTreeMap::new() }
    }

    /// Takes an entry in, unless somebody who counts more has said otherwise.
    pub(super) fn hear(&mut self, entry: &Entry) -> Result<()> {
        let Meaning { key, form, value } = meaning(entry, self.kind(&entry.section), &self.surroundings)?;
        let at = (entry.section.clone(), key.name);
        if let Some(other) = self.heard.get(&at).filter(|other| other.whose >= entry.whose) {
            if other.whose > entry.whose {
                return Ok(());
            }
            if other.form != form {
                let hint = format!("leave one of them out; the other is said at {}", other.origin);
                return Err(entry.wrong("is said in two forms", hint));
            }
        }
        let (whose, origin) = (entry.whose, entry.origin.clone());
        self.heard.insert(at, Heard { key, form, value, whose, origin });
        Ok(())
    }

    fn kind(&self, section: &Section) -> Option<StoreKind> {
        match section {
            Section::Store(name) => self.kinds.get(name).map(|(kind, _)| *kind),
            _ => None,
        }
    }

    /// Whether a key of a store, as it is spelled, is about a secret.
    pub(super) fn is_secret(&self, store: &str, spelling: &str) -> bool {
        let keys = self.kinds.get(store).map_or(&[][..], |(kind, _)| kind.keys());
        let spellings = keys.iter().flat_map(|key| key.spellings().map(move |(name, form)| (key, name, form)));
        spellings
            .filter(|(_, name, _)| name == spelling)
            .any(|(key, _, form)| key.kind.is_secret() || form != Form::Plain)
    }

    /// Whether two entries about one key mean the same.
    pub(super) fn agree(&self, one: &Entry, other: &Entry) -> bool {
        let value = |entry| meaning(entry, self.kind(&one.section), &self.surroundings).map(|meaning| meaning.value);
        matches!((value(one), value(other)), (Ok(one), Ok(other)) if one == other)
    }

    /// What is said of a key of a store.
    pub(super) fn of_store(&self, store: &str, key: &'static str) -> Option<&Heard> {
        self.heard.get(&(Section::Store(store.to_owned()), key))
    }

    /// What is said of the server, by key.
    pub(super) fn of_server(&self) -> impl Iterator<Item = (&'static str, &Heard)> {
        let said = self.heard.iter().filter(|((section, _), _)| *section == Section::Server);
        said.map(|((_, key), heard)| (*key, heard))
    }

    /// What is said of a key of the cache, where `project` is built.
    pub(super) fn of_cache(&self, project: &str, key: &'static str) -> Option<&Heard> {
        let everywhere = self.heard.get(&(Section::Cache, key));
        let here = self.heard.get(&(Section::Project(project.to_owned()), key));
        match (everywhere, here) {
            (Some(everywhere), Some(_)) if everywhere.whose > Whose::UserForProject => Some(everywhere),
            (everywhere, here) => here.or(everywhere),
        }
    }

    /// Everything that was said and holds, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = Setting> {
        self.heard.iter().map(|((section, _), heard)| heard.shown(section))
    }
}

impl Heard {
    fn shown(&self, section: &Section) -> Setting {
        let name = self.key.spellings().find(|(_, form)| *form == self.form).map(|(name, _)| name).unwrap_or_default();
        let value = match self.key.kind_in(self.form) {
            Kind::Secret => Value::from("***"),
            Kind::Address => self.value.as_str().map(masked).into(),
            Kind::Patience if self.value.is_null() => Value::from("never"),
            _ => self.value.clone(),
        };
        let whose = match section {
            Section::Project(_) => Whose::UserForProject,
            _ => self.whose,
        };
        Setting { key: format!("{section}.{name}"), value, whose, origin: self.origin.clone() }
    }
}

/// An address without `user:password@`, and with its query masked.
fn masked(address: &str) -> String {
    let (place, query) = address.split_once('?').map_or((address, ""), |(place, _)| (place, "?***"));
    let (scheme, rest) = place.split_once("://").map_or(("", place), |(scheme, rest)| (scheme, rest));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{host}{query}")
}
