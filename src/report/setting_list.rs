//! The setting list: the configuration that holds, and where each part of it is said.

use serde::Serialize;
use serde_json::Value;

use super::JSON_FORMAT;
use super::paint::{Ink, Paint};
use super::table::{Cell, table};
use crate::config::{Setting, Settings};

/// What holds. Secrets are not in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingList {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// Every key that somebody has set, sorted.
    pub settings: Vec<Setting>,
}

impl SettingList {
    /// The list of all settings.
    pub fn of(settings: &Settings) -> Self {
        Self { format: JSON_FORMAT, settings: settings.iter().collect() }
    }

    /// The list for people, a line for each key.
    pub fn text(&self, paint: Paint) -> String {
        match self.settings.is_empty() {
            true => "nothing is configured\n".to_owned(),
            false => table(&self.settings.iter().map(row).collect::<Vec<_>>(), paint),
        }
    }
}

fn row(setting: &Setting) -> Vec<Cell> {
    let value = match &setting.value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    vec![(setting.key.clone(), Ink::Bold), (value, Ink::Plain), (setting.origin.to_string(), Ink::Faint)]
}
