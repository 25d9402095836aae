//! The kind of a key: which values it takes, and what becomes of them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::length::{LENGTHS, parse_length};
use crate::cache::{NotASize, parse_size};
use crate::text;

/// Which values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text.
    Text,
    /// A file or directory. A relative one lies beside the file that names it, `~/` is the home directory.
    Path,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// Bytes: `1500`, `20G`, `1.5T`.
    Size,
    /// A length of time: `30s`.
    Length,
    /// A length of time, or `never`.
    Patience,
    /// A list of texts.
    Texts,
    /// A text that is never shown.
    Secret,
    /// The address of a service, shown without what it holds of credentials.
    Address,
    /// One of a few words.
    Choice(&'static [&'static str]),
}

/// What the values of a key depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// The directory that relative paths begin at.
    pub(super) dir: &'a Path,
    /// The home directory.
    pub(super) home: Option<&'a Path>,
}

impl Kind {
    /// The value as everybody else has it: sizes in bytes, times in seconds, `null` for never, paths absolute. An error
    /// is a phrase that follows the key's name.
    pub(super) fn read(self, value: &Value, beside: Beside<'_>) -> Result<Value, String> {
        let found = || match self {
            Kind::Secret | Kind::Address => format!("must be {}", self.expected()),
            _ => format!("must be {}, not {}", self.expected(), shown(value)),
        };
        match self {
            Kind::Text | Kind::Secret | Kind::Address => value.as_str().map(Value::from).ok_or_else(found),
            Kind::Path => path(value.as_str().ok_or_else(found)?, beside).map(Value::from),
            Kind::Flag => value.as_bool().map(Value::from).ok_or_else(found),
            Kind::Whole => value.as_u64().map(Value::from).ok_or_else(found),
            Kind::Size => size(value).map(Value::from).ok_or_else(|| format!("cannot be {}: {NotASize}", shown(value))),
            Kind::Patience if value == "never" => Ok(Value::Null),
            Kind::Length | Kind::Patience => length(value).map(Value::from).ok_or_else(found),
            Kind::Texts if is_texts(value) => Ok(value.clone()),
            Kind::Choice(words) if value.as_str().is_some_and(|word| words.contains(&word)) => Ok(value.clone()),
            Kind::Texts => Err(found()),
            Kind::Choice(words) => Err(format!("{}{}", found(), nearest(value, words))),
        }
    }

    /// A text, such as the value of a variable, as the value that a file would have.
    pub(super) fn of_text(self, text: &str) -> Value {
        match self {
            Kind::Flag => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
            Kind::Whole => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
            Kind::Texts => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            _ => Value::from(text),
        }
    }

    /// What it takes, with an article.
    pub fn expected(self) -> String {
        let one_of = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        match self {
            Kind::Text | Kind::Secret => "a text".into(),
            Kind::Address => "an address".into(),
            Kind::Path => "a path".into(),
            Kind::Flag => "true or false".into(),
            Kind::Whole => "a whole number that is not negative".into(),
            Kind::Size => NotASize.to_string(),
            Kind::Length => LENGTHS.into(),
            Kind::Patience => format!("{LENGTHS}, or `never`"),
            Kind::Texts => "a list of texts".into(),
            Kind::Choice(words) => format!("one of {}", one_of(words)),
        }
    }

    /// Whether values of this kind are not shown at all.
    pub(super) fn is_secret(self) -> bool {
        self == Kind::Secret
    }
}

fn size(value: &Value) -> Option<u64> {
    value.as_str().map_or_else(|| value.as_u64(), |text| parse_size(text).ok())
}

fn length(value: &Value) -> Option<f64> {
    let length = match value.as_str() {
        Some(text) => parse_length(text),
        None => value.as_f64().and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok()),
    };
    length.map(|length| length.as_secs_f64())
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn path(text: &str, beside: Beside<'_>) -> Result<String, String> {
    let path = match (text.strip_prefix("~/"), beside.home) {
        (Some(below), Some(home)) => home.join(below),
        (Some(_), None) => return Err("begins with `~/`, and nobody says where the home directory is".into()),
        (None, _) if text.is_empty() => return Err("must be a path, not nothing".into()),
        (None, _) => beside.dir.join(PathBuf::from(text)),
    };
    path.into_os_string().into_string().map_err(|_| "is no UTF-8".into())
}

/// A value as its author wrote it, shortened.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", text.escape_debug().take(60).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
        other => format!("`{other}`"),
    }
}

fn nearest(value: &Value, words: &[&str]) -> String {
    let near = value.as_str().and_then(|word| text::nearest(word, words.iter().copied()));
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: Kind, value: Value) -> Result<Value, String> {
        kind.read(&value, Beside { dir: Path::new("/shop"), home: Some(Path::new("/home/kai")) })
    }

    #[test]
    fn values_become_what_programs_want() {
        assert_eq!(read(Kind::Size, json!("1.5T")), Ok(json!(3_u64 << 39)));
        assert_eq!(read(Kind::Size, json!(1500)), Ok(json!(1500)));
        assert_eq!(read(Kind::Length, json!("2m")), Ok(json!(120.0)));
        assert_eq!(read(Kind::Length, json!(0.5)), Ok(json!(0.5)));
        assert_eq!(read(Kind::Patience, json!("never")), Ok(Value::Null));
        assert_eq!(read(Kind::Path, json!("cache")), Ok(json!("/shop/cache")));
        assert_eq!(read(Kind::Path, json!("/cache")), Ok(json!("/cache")));
        assert_eq!(read(Kind::Path, json!("~/cache")), Ok(json!("/home/kai/cache")));
        assert_eq!(read(Kind::Texts, Kind::Texts.of_text("near, far")), Ok(json!(["near", "far"])));
        assert_eq!(read(Kind::Flag, Kind::Flag.of_text("true")), Ok(json!(true)));
        assert_eq!(read(Kind::Whole, Kind::Whole.of_text("8")), Ok(json!(8)));
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let told = |kind, value| read(kind, value).unwrap_err();
        let sizes =
            "a size is a number of bytes, or a number with one of k, K, M, G, T, P, E (powers of 1024) behind it";
        for size in ["10GB ", "1g", "10GB", ""] {
            assert_eq!(told(Kind::Size, json!(size)), format!("cannot be `{size}`: {sizes}"));
        }
        assert_eq!(told(Kind::Flag, json!("yes")), "must be true or false, not `yes`");
        assert_eq!(told(Kind::Whole, json!(-1)), "must be a whole number that is not negative, not `-1`");
        assert_eq!(told(Kind::Texts, json!("a")), "must be a list of texts, not `a`");
        assert_eq!(told(Kind::Text, json!({})), "must be a text, not a table");
        assert_eq!(
            told(Kind::Choice(&["read", "write"]), json!("raed")),
            "must be one of `read`, `write`, not `raed`; did you mean `read`?"
        );
        assert_eq!(
            told(Kind::Patience, json!("30 s")),
            "must be a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d` behind it, or `never`, not `30 s`"
        );
    }
}
