//! Labels: what is known of an object beside its content, as the `Cortado-…` headers of `docs/stores.md`.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::{Digest, Provenance, Put};

/// The longest text, in characters.
const LONGEST: usize = 120;

/// What may not stand in a header as it is.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const DIGEST: HeaderName = HeaderName::from_static("cortado-digest");
const BUILD_TIME: HeaderName = HeaderName::from_static("cortado-build-time");
const PROJECT: HeaderName = HeaderName::from_static("cortado-project");
const TASK: HeaderName = HeaderName::from_static("cortado-task");
const WRITER: HeaderName = HeaderName::from_static("cortado-writer");
const HOST: HeaderName = HeaderName::from_static("cortado-host");
const COMMIT: HeaderName = HeaderName::from_static("cortado-commit");

/// How to keep an object with the labels of a request. `writer` is who it has proved to come from.
pub(super) fn put(headers: &HeaderMap, writer: Option<&str>) -> Put {
    let text = |name: HeaderName| headers.get(name).and_then(|value| decode(value.as_bytes()));
    let number = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    let provenance = Provenance {
        project: text(PROJECT),
        task: text(TASK),
        writer: writer.map(str::to_owned).or_else(|| text(WRITER)),
        host: text(HOST),
        commit: text(COMMIT),
        build_time: headers.get(BUILD_TIME).and_then(number).map(Duration::from_millis),
    };
    let digest = headers.get(DIGEST).and_then(|value| value.to_str().ok()?.parse().ok());
    Put { digest, provenance, ..Put::default() }
}

/// The labels of an object.
pub(super) fn headers(provenance: &Provenance, identity: Option<Digest>) -> HeaderMap {
    let texts = [
        (PROJECT, &provenance.project),
        (TASK, &provenance.task),
        (WRITER, &provenance.writer),
        (HOST, &provenance.host),
        (COMMIT, &provenance.commit),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, encode(text.as_ref()?)?)));
    let time = provenance.build_time.and_then(|time| HeaderValue::from_str(&time.as_millis().to_string()).ok());
    let identity = identity.and_then(identity_value);
    texts.chain(time.map(|time| (BUILD_TIME, time))).chain(identity.map(|value| (DIGEST, value))).collect()
}

/// Adds an artifact's identity.
pub(super) fn add_identity(headers: &mut HeaderMap, identity: Option<Digest>) {
    headers.extend(identity.and_then(identity_value).map(|value| (DIGEST, value)));
}

fn identity_value(identity: Digest) -> Option<HeaderValue> {
    HeaderValue::from_str(&identity.to_string()).ok()
}

/// Percent-encodes everything but unreserved characters.
fn encode(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&utf8_percent_encode(text, &ENCODED).to_string()).ok()
}

/// The text of a label; none when it is no UTF-8. It has no control characters, since people will look at it.
fn decode(value: &[u8]) -> Option<String> {
    let text = percent_decode(value).decode_utf8().ok()?;
    Some(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_the_way() {
        let known = Provenance::new().project("Kaffee & Küche").task("a%b").host("h").commit("c0ffee").writer("ci");
        let known = known.build_time(Duration::from_millis(1234));
        let digest = Some(Digest::of("beans"));
        let found = put(&headers(&known, digest), None);
        assert_eq!((found.provenance, found.digest), (known, digest));
    }

    #[test]
    fn who_it_is_counts_more_than_who_it_says_it_is() {
        let told = headers(&Provenance::new().writer("root"), None);
        assert_eq!(put(&told, Some("ci")).provenance.writer.as_deref(), Some("ci"));
    }

    #[test]
    fn odd_labels_do_no_harm() {
        assert_eq!(decode(b"%"), Some("%".into()));
        assert_eq!(decode(b"a%2"), Some("a%2".into()));
        assert_eq!(decode(b"%0aa%zz"), Some("a%zz".into()));
        assert_eq!(decode(b"%ff"), None);
        assert_eq!(decode("ä".repeat(500).as_bytes()).map(|text| text.chars().count()), Some(LONGEST));
    }
}
