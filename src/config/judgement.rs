//! The judgement: what an entry means, and whether whoever said it may say so.
//!
//! A project's file and its recipe may come from a stranger, and are read by commands that build nothing. So they name
//! places, but neither secrets nor files or commands that have them.

use super::entry::{Entry, Said, Section, mistake};
use super::key::{Form, Key};
use super::kind::{Beside, Kind};
use super::origin::{SettingOrigin, Whose};
use super::store_kind::StoreKind;
use super::surroundings::{LOCAL, Surroundings};
use super::words;
use crate::error::Result;
use crate::text;

/// An entry that makes sense.
pub(super) struct Meaning {
    pub(super) key: &'static Key,
    pub(super) form: Form,
    pub(super) value: serde_json::Value,
}

/// What an entry means; `kind` is what its store is.
pub(super) fn meaning(entry: &Entry, kind: Option<StoreKind>, around: &Surroundings) -> Result<Meaning> {
    let (key, form) = find(entry, kind)?;
    may_say(entry, key, form)?;
    let value = value(entry, key.kind_in(form), around)?;
    Ok(Meaning { key, form, value })
}

/// The keys that an entry could have been about.
fn keys(section: &Section, kind: Option<StoreKind>) -> Vec<&'static Key> {
    match section {
        Section::Cache | Section::Project(_) => words::CACHE.iter().collect(),
        Section::Server => words::SERVER.iter().collect(),
        Section::Store(_) => {
            let own = kind.map_or(&[][..], StoreKind::keys);
            [&words::TYPE].into_iter().chain(own).chain(words::TIER).collect()
        }
    }
}

fn find(entry: &Entry, kind: Option<StoreKind>) -> Result<(&'static Key, Form)> {
    let keys = keys(&entry.section, kind);
    let spellings: Vec<_> =
        keys.iter().flat_map(|key| key.spellings().map(move |(name, form)| (name, *key, form))).collect();
    if let Some((_, key, form)) = spellings.iter().find(|(name, ..)| *name == entry.key) {
        return Ok((*key, *form));
    }
    let names = spellings.iter().map(|(name, ..)| name.as_str());
    let hint = match text::nearest(&entry.key, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known keys: {}", names.collect::<Vec<_>>().join(", ")),
    };
    let what = kind.map(|kind| format!("a store of type `{}` has no such key", kind.word()));
    let what = what.unwrap_or_else(|| "is not a known key".into());
    let problem = if kind.is_some() { format!("is unknown: {what}") } else { what };
    Err(entry.wrong(problem, hint))
}

fn value(entry: &Entry, kind: Kind, around: &Surroundings) -> Result<serde_json::Value> {
    let dir = around.current_dir.join(&entry.dir);
    let beside = Beside { dir: &dir, home: around.home.as_deref() };
    let said = match &entry.said {
        Said::Value(value) => value.clone(),
        Said::Text(text) => kind.of_text(text),
    };
    kind.read(&said, beside).map_err(|problem| entry.wrong(problem, ""))
}

fn may_say(entry: &Entry, key: &Key, form: Form) -> Result<()> {
    let secret = key.kind.is_secret();
    let refused = |why: &str| {
        let hint = "put it into your own `cortado/config.toml`, or into the environment";
        Err(entry.wrong(format!("cannot be said here: {why}"), hint))
    };
    match entry.whose {
        Whose::Project | Whose::Recipe if matches!(entry.section, Section::Project(_)) => {
            refused("what holds for one project alone is the user's choice; a project's own file has `[cache]`")
        }
        whose if whose.is_foreign() && form == Form::File => {
            refused("a project could send any file of yours to a server")
        }
        whose if whose.is_foreign() && form == Form::Command => {
            refused("a project could run any command where nobody expects one")
        }
        whose if whose.is_foreign() && (secret || holds_password(entry, key)) => {
            refused("whoever has the project would have the secret")
        }
        whose if whose.is_foreign() && !key.own.is_empty() => refused(key.own),
        Whose::Option if secret && form == Form::Plain => refused("everybody on this machine sees the command line"),
        _ => Ok(()),
    }
}

/// Whether an address has a password in it.
fn holds_password(entry: &Entry, key: &Key) -> bool {
    let Said::Value(value) = &entry.said else { return false };
    let address = value.as_str().filter(|_| key.kind == Kind::Address).unwrap_or_default();
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest).split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Whether a store can bear that name: variables are named after it.
pub(super) fn store_name<'e>(name: &str, mut entries: impl Iterator<Item = &'e Entry>) -> Result<()> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts_well && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Ok(());
    }
    let first = entries.find(|entry| entry.section == Section::Store(name.to_owned()));
    let origin = first.map_or(SettingOrigin::Default, |entry| entry.origin.clone());
    let problem = format!("`{}` is not a name for a store", name.escape_debug());
    Err(mistake(&origin, problem, "use lower-case letters, digits and `-`, beginning with a letter"))
}

/// What a store is, from the entry that says so.
pub(super) fn kind(name: &str, said: Option<&Entry>, entries: &[Entry], around: &Surroundings) -> Result<StoreKind> {
    if let Some(entry) = said {
        let word = value(entry, words::TYPE.kind, around)?;
        return word.as_str().and_then(StoreKind::of_word).ok_or_else(|| entry.wrong("is no type of a store", ""));
    }
    let first = entries.iter().find(|entry| entry.section == Section::Store(name.to_owned()));
    match first {
        Some(entry) if name != LOCAL => {
            let types = StoreKind::ALL.map(StoreKind::word).join(", ");
            let near = text::nearest(name, entries.iter().filter_map(declared));
            let hint = near.map(|near| format!("did you mean the store `{near}`?"));
            let hint = hint.unwrap_or_else(|| format!("the types are {types}"));
            Err(mistake(&entry.origin, format!("`stores.{name}` has no `type`"), hint))
        }
        _ => Ok(StoreKind::Directory),
    }
}

/// The name of a store whose type is said.
fn declared(entry: &Entry) -> Option<&str> {
    match &entry.section {
        Section::Store(name) if entry.key == "type" => Some(name),
        _ => None,
    }
}
