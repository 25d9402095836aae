//! The configuration of a command: the two files, the environment and the options, gathered and merged.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::args::{Cache, Common};
use crate::{Configuration, Error, Recipe, Result, Settings, Surroundings};

/// The name of the project's file, beside the recipe.
const PROJECT_FILE: &str = "cortado.toml";

/// What holds for a command with these options; the recipe has a say where it was read.
pub(super) fn gather(common: &Common, cache: &Cache, recipe: Option<&Recipe>) -> Result<Settings> {
    let mut configuration = of_user()?;
    let beside = common.file.parent().unwrap_or(Path::new("")).join(PROJECT_FILE);
    if let Some((text, path)) = read(beside)? {
        configuration = configuration.project(&text, path)?;
    }
    if let Some(recipe) = recipe {
        configuration = recipe.configure(configuration);
    }
    let configuration = configuration.environment(std::env::vars_os());
    cache.over(options(configuration, common.set.iter())?)?.merge()
}

/// What holds for a server: no project has a say. Of what `--config` gives, what sets no key is the server's file.
#[cfg(feature = "server")]
pub(super) fn for_server(common: &Common) -> Result<Configuration> {
    let sets_a_key =
        |text: &&String| ["cache.", "stores."].iter().any(|table| text.starts_with(table)) && text.contains('=');
    let (options_of, files): (Vec<_>, Vec<_>) = common.set.iter().partition(sets_a_key);
    let mut configuration = of_user()?;
    if let [_, second, ..] = files.as_slice() {
        return Err(Error::Invalid {
            place: format!("--config {second}"),
            problem: "a server has one file".into(),
            hint: "`--config KEY=VALUE` sets a key of `cache` or of one of the `stores`".into(),
        });
    }
    if let Some(path) = files.first().map(PathBuf::from) {
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|source| Error::Io { verb: "read", path: path.clone(), source })?;
        configuration = configuration.server(&text, path)?;
    }
    options(configuration.environment(std::env::vars_os()), options_of.into_iter())
}

/// What the user's own file says.
fn of_user() -> Result<Configuration> {
    let dirs = Dirs::of(|name| std::env::var_os(name));
    let here = std::env::current_dir().map_err(|source| Error::Io { verb: "find", path: ".".into(), source })?;
    let surroundings = Surroundings::new(&here).home(dirs.home).cache_dir(dirs.cache);
    let configuration = Configuration::new(surroundings);
    match dirs.config.map(|dir| dir.join("config.toml")).map(read).transpose()?.flatten() {
        Some((text, path)) => configuration.user(&text, path),
        None => Ok(configuration),
    }
}

/// `--config stores.far.mode=read`, each over what was said before.
fn options<'o>(configuration: Configuration, mut set: impl Iterator<Item = &'o String>) -> Result<Configuration> {
    set.try_fold(configuration, |configuration, option| {
        let wrong = || Error::Invalid {
            place: format!("--config {option}"),
            problem: "this is no key with a value".into(),
            hint: "write `cache.mode=off` or `stores.NAME.KEY=VALUE`".into(),
        };
        let (key, value) = option.split_once('=').ok_or_else(wrong)?;
        let shown = format!("--config {key}");
        match key.split('.').collect::<Vec<_>>().as_slice() {
            ["cache", key] => Ok(configuration.option(None, key, value, &shown)),
            ["stores", store, key] => Ok(configuration.option(Some(store), key, value, &shown)),
            _ => Err(wrong()),
        }
    })
}

/// A file and its path; `None` when there is none.
fn read(path: PathBuf) -> Result<Option<(String, PathBuf)>> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((text, path))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(Error::Io { verb: "read", path, source }),
    }
}

/// The directories that the XDG base directory specification names; relative ones do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dirs {
    pub(super) home: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) cache: Option<PathBuf>,
}

impl Dirs {
    pub(super) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let dir = |name| variable(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
        let home = dir("HOME");
        let below_home = |name| home.as_ref().map(|home| home.join(name));
        let ours = |dir: PathBuf| dir.join("cortado");
        Self {
            config: dir("XDG_CONFIG_HOME").or_else(|| below_home(".config")).map(ours),
            cache: dir("XDG_CACHE_HOME").or_else(|| below_home(".cache")).map(ours),
            home,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_the_base_directory_specification() {
        let with = |pairs: &'static [(&str, &str)]| {
            Dirs::of(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())).cache
        };
        assert_eq!(with(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), Some("/c/cortado".into()));
        assert_eq!(with(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), Some("/h/.cache/cortado".into()));
        assert_eq!(with(&[]), None);
    }
}
