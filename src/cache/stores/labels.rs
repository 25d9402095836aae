//! Labels: what is known about an object, as short texts beside it. HTTP carries them as headers (`Cortado-Task`), an
//! object store as metadata (`cortado_task`).
//!
//! | label | value |
//! |---|---|
//! | `project`, `task`, `writer`, `host`, `commit` | as in [`Provenance`]; percent-encoded, so that any text is ASCII |
//! | `build-time` | milliseconds |
//! | `digest` | the SHA-256 of the uncompressed tar, in hex |

use std::time::Duration;

use crate::cache::{Provenance, Put};
use crate::host::http::{escape, unescape};

/// The longest value, in characters before they are encoded: services limit all metadata of an object to 2 KiB.
const LONGEST: usize = 120;

/// What is known about an object, each label once.
pub(super) fn labels(options: &Put) -> Vec<(&'static str, String)> {
    let Put { provenance, digest, .. } = options;
    let texts = [
        ("project", &provenance.project),
        ("task", &provenance.task),
        ("writer", &provenance.writer),
        ("host", &provenance.host),
        ("commit", &provenance.commit),
    ];
    let texts = texts.into_iter().filter_map(|(label, text)| Some((label, encode(text.as_ref()?))));
    let time = provenance.build_time.map(|time| ("build-time", time.as_millis().to_string()));
    texts.chain(time).chain(digest.map(|digest| ("digest", digest.to_string()))).collect()
}

/// The provenance that labels tell of; `find` gives the value of one.
pub(super) fn provenance(find: impl Fn(&str) -> Option<String>) -> Provenance {
    let text = |label| find(label).map(|value| unescape(&value));
    let mut provenance = Provenance::new();
    provenance.project = text("project");
    provenance.task = text("task");
    provenance.writer = text("writer");
    provenance.host = text("host");
    provenance.commit = text("commit");
    provenance.build_time = find("build-time").and_then(|time| time.parse().ok()).map(Duration::from_millis);
    provenance
}

fn encode(text: &str) -> String {
    escape(&text.chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_known_survives_the_way() {
        let known = Provenance::new().project("Kaffee & Küche\n").task("a").host("h").commit("c0ffee");
        let known = known.writer("ci").build_time(Duration::from_millis(1234));
        let labels = labels(&Put { provenance: known.clone(), ..Put::default() });
        assert!(labels.iter().all(|(_, value)| value.bytes().all(|byte| byte.is_ascii_graphic())), "{labels:?}");
        let find = |label: &str| labels.iter().find(|(name, _)| *name == label).map(|(_, value)| value.clone());
        assert_eq!(provenance(find), known);
    }
}
