//! The trial: what must hold of the server's own parsers whatever strangers send. Fuzzing and the tests here read the same list.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::auth::trial::{Credentials, Users};
use super::digests::{self, CONTENT_DIGEST, Promises};
use super::labels;
use super::name::Name;
use super::range::{Asked, asked};
use crate::{Digest, Provenance};

/// What is known of objects by headers.
const LABELS: [&str; 7] = ["project", "task", "writer", "host", "commit", "build-time", "digest"];

/// A `Range` header, behind eight bytes that are the size of the object.
///
/// # Panics
/// When a part reaches beyond the object, or is told otherwise when it is asked for plainly.
pub fn range(input: &[u8]) {
    let Some((size, header)) = input.split_first_chunk() else { return };
    let size = u64::from_le_bytes(*size);
    for size in [size, size % 1000] {
        if let Asked::Part(part) = asked(&String::from_utf8_lossy(header), size) {
            assert!(part.start < part.end && part.end <= size, "{part:?} of {size}");
            let plain = format!("bytes={}-{}", part.start, part.end - 1);
            assert_eq!(asked(&plain, size), Asked::Part(part));
        }
    }
}

/// A digest header, of one of three kinds by the first byte.
///
/// # Panics
/// When something passes for a promise of another content.
pub fn digest(input: &[u8]) {
    let Some((kind, value)) = input.split_first() else { return };
    let name = ["content-digest", "repr-digest", "digest"][usize::from(*kind % 3)];
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
    if let Ok(promises) = Promises::of(&headers) {
        let keeps = |content: &[u8]| promises.check(&Digest::of(content)).is_ok();
        // Who promises nothing keeps it, and nobody promises two contents by one digest.
        let promised = headers.values().any(|value| value.as_bytes().len() >= 44);
        assert!(promised || (keeps(b"") && keeps(b"beans")));
    }
    let ours = Digest::of(input);
    let field = digests::field(&ours).map(|field| HeaderMap::from_iter([(CONTENT_DIGEST, field)]));
    let promises = field.map(|field| Promises::of(&field));
    assert!(promises.is_some_and(|promises| {
        promises.is_ok_and(|promises| promises.check(&ours).is_ok() && promises.check(&Digest::of("")).is_err())
    }));
}

/// An `Authorization` header.
///
/// # Panics
/// When a name has a colon in it, a token has nothing in it, or a name and its password do not survive the way.
pub fn credentials(input: &[u8]) {
    let of = |value: &[u8]| {
        let value = HeaderValue::from_bytes(value).ok()?;
        Some(Credentials::of(&HeaderMap::from_iter([(header::AUTHORIZATION, value)])))
    };
    match of(input) {
        Some(Credentials::Basic(name, password)) => {
            let again = format!("basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")));
            assert!(!name.contains(':') && of(again.as_bytes()) == Some(Credentials::Basic(name, password)));
        }
        Some(Credentials::Bearer(token)) => assert!(!token.is_empty() && token.trim() == token),
        Some(Credentials::None) => assert!(input.is_empty(), "who says something has not said nothing"),
        Some(Credentials::Malformed) | None => {}
    }
}

/// A file of users.
///
/// # Panics
/// When a line is neither a user, nor a fault, nor a comment; or somebody comes in by knowing nothing.
pub fn users(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let users = Users::parse(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    assert_eq!(users.count() + users.faults().len(), lines);
    assert!(users.faults().iter().all(|fault| fault.starts_with("line ")));
    assert!(users.by_token("").is_none() || text.contains(&Digest::of("").to_string()));
    assert!(users.remembered("", "").is_none());
    let commented = Users::parse(&format!("# a comment\n{text}"));
    assert_eq!((commented.count(), commented.faults().len()), (users.count(), users.faults().len()));
}

/// A `Cortado-…` header, of one of several kinds by the first byte.
///
/// # Panics
/// When a label is longer than it may be, could do harm in a terminal, or does not survive the way.
pub fn labels(input: &[u8]) {
    let Some((kind, value)) = input.split_first() else { return };
    let name = format!("cortado-{}", LABELS[usize::from(*kind) % LABELS.len()]);
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) else {
        return;
    };
    let put = labels::put(&HeaderMap::from_iter([(name, value)]), None);
    let Provenance { project, task, writer, host, commit, .. } = &put.provenance;
    for text in [project, task, writer, host, commit].into_iter().flatten() {
        assert!(text.chars().count() <= 120 && !text.contains(char::is_control), "{text:?}");
    }
    let again = labels::put(&labels::headers(&put.provenance, put.digest), None);
    assert_eq!((again.provenance, again.digest), (put.provenance, put.digest));
}

/// A name, and two keys of another protocol with the first zero byte between them.
///
/// # Panics
/// When a name is none for a file, or two keys have one name.
pub fn name(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(name) = Name::parse(&text) {
        assert!(name.as_str() == text && is_file_name(name.as_str()) && !text.contains('~'));
    }
    let (one, other) = text.split_once('\0').unwrap_or((&text, ""));
    let [first, second] = [one, other].map(|key| Name::within("dav", key));
    assert!(is_file_name(first.as_str()) && Name::parse(first.as_str()).is_err() && !first.is_artifact());
    assert_eq!(first == second, one == other);
}

/// Whether a file may bear that name, and is seen where it does.
fn is_file_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && !name.starts_with('.') && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of all kinds, and texts that are nearly what a parser wants.
    fn inputs(nearly: &'static str) -> impl Strategy<Value = Vec<u8>> {
        let texts = (prop::collection::vec(any::<u8>(), 0..9), nearly);
        let nearly = texts.prop_map(|(first, text)| [first, text.into_bytes()].concat());
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly]
    }

    proptest! {
        #[test]
        fn ranges_lie_within(input in inputs("( ?bytes=[0-9]{0,20}-[0-9]{0,20} ?|[a-z=0-9, +-]{0,30})")) {
            range(&input);
        }

        #[test]
        fn promises_are_of_one_content(input in inputs("(sha-256=:?[A-Za-z0-9+/]{0,50}=?:?(, ?[a-z0-9=:-]{0,20})?)")) {
            digest(&input);
        }

        #[test]
        fn credentials_are_what_they_say(input in inputs("x?")) {
            credentials(&input);
        }

        #[test]
        fn credentials_survive(scheme in "([Bb]asic|[Bb]earer) {1,2}", text in "[a-z:éß ]{0,20}") {
            credentials(format!("{scheme}{}", BASE64_STANDARD.encode(text)).as_bytes());
        }

        #[test]
        fn users_are_lines(
            lines in prop::collection::vec("([a-z#]{0,3}:(\\{TOKEN\\}[0-9a-f]{64}|\\$[0-9a-z]{1,5}\\$[./0-9A-Za-z$]{0,60})?(:[a-z=,]{0,20})?|[ -~]{0,30})", 0..6),
        ) {
            users(lines.join("\n").as_bytes());
        }

        #[test]
        fn labels_do_no_harm(input in inputs("(%[0-9a-fA-F]{0,2}|[ -~]){0,150}")) {
            labels(&input);
        }

        #[test]
        fn names_are_file_names(input in inputs("[a-zA-Z0-9._+/~%\\x00-]{0,300}")) {
            name(&input);
        }
    }
}
