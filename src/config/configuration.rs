//! The configuration as it is gathered: who said what, in which file. [`merge`](Configuration::merge) makes sense of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::credentials;
use super::document::Document;
use super::entry::{Entry, Said, Section};
use super::judgement;
use super::origin::{SettingOrigin, Whose};
use super::settings::Settings;
use super::store_kind::StoreKind;
use super::surroundings::{LOCAL, Surroundings};
use super::variables;
use crate::error::Result;

/// What was said about the cache, by whom and where.
///
/// ```
/// use cortado::{Configuration, Surroundings};
/// # fn main() -> cortado::Result<()> {
/// let text = "[cache]\ntiers = ['team']\n[stores.team]\ntype = 'directory'\npath = 'artifacts'\n";
/// let configuration = Configuration::new(Surroundings::new("/shop")).project(text, "/shop/cortado.toml")?;
/// let cache = configuration.merge()?.cache("shop")?;
/// assert_eq!(cache.tiers[0].name(), "team");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Configuration {
    pub(super) surroundings: Surroundings,
    pub(super) entries: Vec<Entry>,
    variables: Vec<(OsString, OsString)>,
}

impl Configuration {
    /// Nothing was said yet.
    pub fn new(surroundings: Surroundings) -> Self {
        Self { surroundings, entries: Vec::new(), variables: Vec::new() }
    }

    /// Adds the user's own file.
    ///
    /// # Errors
    /// A text that is no TOML, and tables that nobody knows.
    pub fn user(self, text: &str, path: impl AsRef<Path>) -> Result<Self> {
        self.file(text, path.as_ref(), Whose::User)
    }

    /// Adds the file beside the recipe.
    ///
    /// # Errors
    /// A text that is no TOML, and tables that nobody knows.
    pub fn project(self, text: &str, path: impl AsRef<Path>) -> Result<Self> {
        self.file(text, path.as_ref(), Whose::Project)
    }

    /// Adds the file of a server: what it allows, and stores.
    ///
    /// # Errors
    /// A text that is no TOML, and tables that nobody knows.
    pub fn server(self, text: &str, path: impl AsRef<Path>) -> Result<Self> {
        self.file(text, path.as_ref(), Whose::Server)
    }

    fn file(mut self, text: &str, path: &Path, whose: Whose) -> Result<Self> {
        self.entries.extend(Document { text, path, whose }.entries()?);
        Ok(self)
    }

    /// Adds what the recipe says of one key of a store, or of the cache where `store` is `None`.
    pub fn recipe(self, store: Option<&str>, key: &str, value: Value, file: &Path, line: usize) -> Self {
        let dir = file.parent().unwrap_or(file).to_path_buf();
        self.said(store, key, Said::Value(value), Whose::Recipe, SettingOrigin::File(file.to_path_buf(), line), dir)
    }

    /// Adds the environment. Variables that are not ours are passed over.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Adds an option; `shown` is what it is called: `--cache-mode`.
    pub fn option(self, store: Option<&str>, key: &str, value: &str, shown: &str) -> Self {
        let dir = self.surroundings.current_dir.clone();
        self.said(store, key, Said::Text(value.to_owned()), Whose::Option, SettingOrigin::Option(shown.to_owned()), dir)
    }

    fn said(
        mut self,
        store: Option<&str>,
        key: &str,
        said: Said,
        whose: Whose,
        origin: SettingOrigin,
        dir: PathBuf,
    ) -> Self {
        let section = store.map_or(Section::Cache, |store| Section::Store(store.to_owned()));
        self.entries.push(Entry { section, key: key.to_owned(), said, whose, origin, dir });
        self
    }

    /// Everything key by key: of several who said something, the last of [`Whose`] is heard.
    ///
    /// # Errors
    /// Unknown keys, values that do not fit, and what whoever said it may not say; each names its place.
    pub fn merge(mut self) -> Result<Settings> {
        let variables = variables::entries(&self.variables, &self.stores(), &self.surroundings.current_dir)?;
        self.entries.extend(variables);
        let kinds = self.kinds()?;
        let mut settings = Settings::new(self.surroundings.clone(), kinds);
        for entry in &self.entries {
            settings.hear(entry)?;
        }
        credentials::stay_home(&self.entries, &settings)?;
        Ok(settings)
    }

    /// The names of all stores that something was said about, and of the one that is always there.
    fn stores(&self) -> BTreeSet<String> {
        let named = self.entries.iter().filter_map(|entry| match &entry.section {
            Section::Store(name) => Some(name.clone()),
            _ => None,
        });
        named.chain([LOCAL.to_owned()]).collect()
    }

    /// What each store is.
    fn kinds(&self) -> Result<BTreeMap<String, (StoreKind, SettingOrigin)>> {
        let mut kinds = BTreeMap::new();
        for name in self.stores() {
            judgement::store_name(&name, self.entries.iter())?;
            let types = self
                .entries
                .iter()
                .filter(|entry| entry.key == "type" && entry.section == Section::Store(name.clone()));
            let said = types.max_by_key(|entry| entry.whose);
            let kind = judgement::kind(&name, said, &self.entries, &self.surroundings)?;
            kinds.insert(name, (kind, said.map_or(SettingOrigin::Default, |entry| entry.origin.clone())));
        }
        Ok(kinds)
    }
}
