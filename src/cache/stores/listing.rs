//! A listing on the wire: one JSON object a line, for each object of a store.
//!
//! ```json
//! {"name":"shop-zlib-….tar.gz","size":4096,"stored":1763632845,"used":1763640000,"pinned":false,"provenance":{"task":"zlib"}}
//! ```
//!
//! Times are seconds since 1970. `name` and `size` are always there, unknown fields are ignored. The last line is
//! `{"end":true}`: without it the listing was cut off.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::cache::unsupported::Unsupported;
use crate::cache::{Listed, Objects, Provenance};

/// What a client asks for and a server that lists answers with.
pub(super) const MEDIA_TYPE: &str = "application/x-ndjson";

/// The longest line: a name and a provenance have their limits.
const LONGEST: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Object(Box<Object>),
    End { end: bool },
}

#[derive(Deserialize)]
struct Object {
    name: String,
    size: u64,
    stored: Option<u64>,
    used: Option<u64>,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    provenance: Provenance,
}

impl From<Object> for Listed {
    fn from(object: Object) -> Self {
        let time = |seconds: Option<u64>| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds?));
        let mut listed = Self::new(object.name, object.size, time(object.stored));
        listed.used = time(object.used);
        listed.pinned = object.pinned;
        listed.provenance = object.provenance;
        listed
    }
}

/// The objects of a listing as it arrives.
pub(super) fn read<'a>(content: impl Read + Send + 'a) -> anyhow::Result<Objects<'a>> {
    let mut lines = BufReader::new(content);
    let mut done = false;
    Ok(Box::new(std::iter::from_fn(move || {
        let item = if done { None } else { next(&mut lines).transpose() };
        done |= !matches!(item, Some(Ok(_)));
        item
    })))
}

fn next(lines: &mut impl BufRead) -> anyhow::Result<Option<Listed>> {
    let mut line = String::new();
    lines.take(LONGEST).read_line(&mut line).context("the listing broke off")?;
    match serde_json::from_str(&line) {
        Ok(Line::Object(object)) => Ok(Some((*object).into())),
        Ok(Line::End { end: true }) => Ok(None),
        _ if line.is_empty() => bail!("the listing broke off"),
        _ => bail!("the listing has a line that is none"),
    }
}

pub(super) fn unsupported(place: &str) -> Unsupported {
    Unsupported::new(format!("{place} does not list its objects"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> anyhow::Result<Vec<String>> {
        read(text.as_bytes())?.map(|listed| Ok(listed?.name)).collect()
    }

    #[test]
    fn a_listing_has_an_end() {
        let line = r#"{"name":"a","size":1,"stored":5,"provenance":{"task":"t"},"new":1}"#;
        let all: Vec<_> = read(format!("{line}\n{{\"end\":true}}\n").as_bytes()).unwrap().map(Result::unwrap).collect();
        assert_eq!((all[0].name.as_str(), all[0].size, all[0].provenance.task.as_deref()), ("a", 1, Some("t")));
        assert_eq!(all[0].stored, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5)));
        assert_eq!(names(&format!("{line}\n")).unwrap_err().to_string(), "the listing broke off");
        assert_eq!(names("{\"name\":\"a\"").unwrap_err().to_string(), "the listing has a line that is none");
    }
}
