//! The entry: one thing that somebody said, before it is known whether it makes sense.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::origin::{SettingOrigin, Whose};
use crate::error::Error;

/// The table that a key stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Section {
    Cache,
    /// The same keys, for the project of that name alone.
    Project(String),
    Store(String),
    /// What a server allows.
    Server,
}

/// A key with its value, and who said so.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) section: Section,
    pub(super) key: String,
    pub(super) said: Said,
    pub(super) whose: Whose,
    pub(super) origin: SettingOrigin,
    /// The directory that relative paths begin at.
    pub(super) dir: PathBuf,
}

/// A value as it was said.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// By something that tells texts from numbers.
    Value(Value),
    /// By something that knows texts alone.
    Text(String),
}

impl Entry {
    /// `stores.far.url`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// A mistake in this entry; `problem` follows the name of the key.
    pub(super) fn wrong(&self, problem: impl fmt::Display, hint: impl Into<String>) -> Error {
        mistake(&self.origin, format!("`{}` {problem}", self.path()), hint)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Section::Cache => f.write_str("cache"),
            Section::Project(name) => write!(f, "projects.{name}"),
            Section::Server => f.write_str("server"),
            Section::Store(name) => write!(f, "stores.{name}"),
        }
    }
}

/// What is wrong at a place of the configuration.
pub(super) fn mistake(origin: &SettingOrigin, problem: String, hint: impl Into<String>) -> Error {
    Error::Invalid { place: origin.to_string(), problem, hint: hint.into() }
}
