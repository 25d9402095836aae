//! The configuration: what the owner of a store has decided, in `config.toml` at its root.

use std::path::Path;

use toml::{Table, Value};

use super::file_sync::FileSync;
use super::options::DirectoryOptions;
use super::perm::Perm;
use super::size::parse_size;
use super::words::{Words, find};
use crate::error::{Error, Result};
use crate::text;

/// What `config.toml` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Config {
    /// Bytes that the store may take.
    pub(super) size: u64,
    pub(super) file_sync: FileSync,
    pub(super) perm: Perm,
    pub(super) eviction: Eviction,
}

/// What goes first when room is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Eviction {
    /// What was not used for long, sooner if it is large and quickly built.
    #[default]
    Cost,
    /// What was not used for longest.
    Lru,
}

const EVICTION: &Words<Eviction> = &[("cost", Eviction::Cost), ("lru", Eviction::Lru)];
const KEYS: [&str; 4] = ["size", "file_sync", "perm", "eviction"];

impl Config {
    /// Reads the text of `path`.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| mistake(path, &error, text))?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let hint = text::nearest(key, KEYS).map(|nearest| format!("did you mean `{nearest}`?"));
            let hint = hint.unwrap_or_else(|| format!("the keys are {}", KEYS.join(", ")));
            return Err(invalid(path, format!("unknown key `{key}`"), hint));
        }
        let size = table.get("size").ok_or_else(|| {
            invalid(path, "`size` is missing".into(), "say how large the store may get: `size = \"100G\"`".into())
        })?;
        Ok(Self {
            size: bytes(size, path)?,
            file_sync: word(&table, "file_sync", FileSync::WORDS, path)?,
            perm: word(&table, "perm", Perm::WORDS, path)?,
            eviction: word(&table, "eviction", EVICTION, path)?,
        })
    }

    /// What a project decides for itself, over what the store says.
    pub(super) fn overridden(self, options: &DirectoryOptions) -> Self {
        let file_sync = options.file_sync.unwrap_or(self.file_sync);
        Self { file_sync, perm: options.perm.unwrap_or(self.perm), ..self }
    }
}

/// The configuration that a store gets when it is made without one: for one machine's own use.
pub(super) fn private(size: u64) -> String {
    format!(
        "# Bytes that this store may take, or a number with k, M, G or T behind it (powers of 1024).\nsize = {}\n\n\
         # `none` for one machine; `dir` when others look at it too, over NFS; `sync` against power cuts.\n\
         file_sync = \"none\"\n",
        written(size)
    )
}

/// A size as a value: in the largest unit that says it exactly.
fn written(size: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "k")];
    let unit = units.iter().find(|(shift, _)| size > 0 && size.is_multiple_of(1 << shift));
    unit.map_or(size.to_string(), |(shift, unit)| format!("\"{}{unit}\"", size >> shift))
}

fn bytes(value: &Value, path: &Path) -> Result<u64> {
    let size = match value {
        Value::Integer(size) => u64::try_from(*size).ok(),
        Value::String(text) => parse_size(text).ok(),
        _ => None,
    };
    let wrong = || invalid(path, format!("`size` cannot be {}", shown(value)), super::size::NotASize.to_string());
    size.ok_or_else(wrong)
}

fn word<T: Copy + Default>(table: &Table, key: &str, words: &Words<T>, path: &Path) -> Result<T> {
    let Some(value) = table.get(key) else { return Ok(T::default()) };
    let found = value.as_str().map_or_else(|| find("", words), |text| find(text, words));
    found.map_err(|hint| invalid(path, format!("`{key}` cannot be {}", shown(value)), hint))
}

/// A value as the file has it, more or less.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        other => format!("a value of type {}", other.type_str()),
    }
}

fn invalid(path: &Path, problem: String, hint: String) -> Error {
    Error::Invalid { place: format!("`{}`", path.display()), problem, hint }
}

fn mistake(path: &Path, error: &toml::de::Error, text: &str) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    invalid(path, format!("line {line}: {}", error.message()), "it is a TOML file".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text, Path::new("config.toml"))
    }

    fn problem(text: &str) -> (String, String) {
        let error = parse(text).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    }

    #[test]
    fn sizes_may_be_numbers_or_have_a_unit() {
        assert_eq!(parse("size = 1500").unwrap().size, 1500);
        let config = parse("size = '1.5T'\nfile_sync = 'sync'\nperm = 'group'\neviction = 'lru'").unwrap();
        let wanted = Config { size: 3 << 39, file_sync: FileSync::Sync, perm: Perm::Group, eviction: Eviction::Lru };
        assert_eq!(config, wanted);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(problem("").0, "`config.toml`: `size` is missing");
        for size in ["\"10GB \"", "\"1g\"", "-1", "1.5", "true", "\"\""] {
            assert_eq!(problem(&format!("size = {size}")).0, format!("`config.toml`: `size` cannot be {size}"));
        }
        let (text, hint) = problem("size = 1\nfile_snyc = 'dir'");
        assert_eq!(
            (text.as_str(), hint.as_str()),
            ("`config.toml`: unknown key `file_snyc`", "did you mean `file_sync`?")
        );
        let (text, hint) = problem("size = 1\nperm = 'all'");
        assert_eq!(
            (text.as_str(), hint.as_str()),
            ("`config.toml`: `perm` cannot be \"all\"", "it is one of `none`, `group`, `other`")
        );
        assert!(problem("size = 1\nperm = group").0.starts_with("`config.toml`: line 2: "));
    }

    #[test]
    fn a_private_configuration_is_one() {
        let config = parse(&private(20 << 30)).unwrap();
        assert_eq!((config.size, config.file_sync), (20 << 30, FileSync::None));
        assert_eq!(parse(&private(1500)).unwrap().size, 1500);
    }

    #[test]
    fn a_project_decides_everything_but_the_size() {
        let options = DirectoryOptions::new().file_sync(FileSync::Sync).perm(Perm::Other).initial_size(5);
        let config = parse("size = 1").unwrap().overridden(&options);
        assert_eq!((config.size, config.file_sync, config.perm), (1, FileSync::Sync, Perm::Other));
    }
}
