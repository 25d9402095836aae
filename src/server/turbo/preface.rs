//! The preface: what Turborepo says of an artifact, kept before it in the same object of the store.
//!
//! ```text
//! cortado-preface 1 {"duration":1234,"tag":"…"}⏎ and then the artifact
//! ```
//!
//! A tag is the signature of one content. Kept anywhere else, it could be found beside another one, or lost.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{DURATION, TAG};
use crate::server::problem::Problem;

/// What a preface of this format begins with.
const MARK: &[u8] = b"cortado-preface 1 ";

/// The longest preface, in bytes: all of it lies in the first page of a file.
pub(super) const LONGEST: u64 = 2048;

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 600;

/// What is known of an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Preface {
    /// How long its task took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<u64>,
    /// Its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
}

impl Preface {
    /// What the headers of an upload say.
    ///
    /// # Errors
    /// 400 for a duration or a tag that is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let duration =
            text(headers, &DURATION)?.map(|text| number(text).ok_or_else(|| wrong(&DURATION))).transpose()?;
        let tag = text(headers, &TAG)?.map(str::to_owned);
        if tag.as_ref().is_some_and(|tag| tag.len() > LONGEST_TAG) {
            return Err(wrong(&TAG));
        }
        Ok(Self { duration, tag })
    }

    /// The headers of an answer.
    pub(super) fn headers(&self) -> HeaderMap {
        let duration = self.duration.map(|duration| (DURATION, HeaderValue::from(duration)));
        let tag = self.tag.as_ref().and_then(|tag| Some((TAG, HeaderValue::from_str(tag).ok()?)));
        duration.into_iter().chain(tag).collect()
    }

    pub(super) fn build_time(&self) -> Option<Duration> {
        self.duration.map(Duration::from_millis)
    }

    /// The bytes before an artifact.
    pub(super) fn line(&self) -> Bytes {
        let mut line = MARK.to_vec();
        line.extend(serde_json::to_vec(self).unwrap_or_default());
        line.push(b'\n');
        line.into()
    }

    /// The preface at the beginning of an object, with its length in bytes.
    pub(super) fn parse(beginning: &[u8]) -> Option<(Self, u64)> {
        let end = beginning.iter().take(LONGEST as usize).position(|byte| *byte == b'\n')?;
        let preface = serde_json::from_slice(beginning.get(..end)?.strip_prefix(MARK)?).ok()?;
        Some((preface, end as u64 + 1))
    }
}

/// A header of visible ASCII. Two of them are two stories.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.as_bytes().iter().all(u8::is_ascii_graphic) => {
            value.to_str().map(Some).map_err(|_| wrong(name))
        }
        _ => Err(wrong(name)),
    }
}

/// A number, without the sign that Rust would take.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn wrong(name: &HeaderName) -> Problem {
    Problem::bad_request(match *name == DURATION {
        true => format!("`{name}` is a number of milliseconds"),
        false => format!("`{name}` has up to {LONGEST_TAG} visible ASCII characters"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(HeaderName, &[u8])]) -> HeaderMap {
        let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
        let mut headers = HeaderMap::new();
        pairs.iter().for_each(|(name, bytes)| {
            headers.append(name, value(bytes));
        });
        headers
    }

    #[test]
    fn odd_headers_are_refused() {
        let long = [b'x'; 601];
        let bad: [(HeaderName, &[u8]); 10] = [
            (DURATION, b"-1"),
            (DURATION, b"+1"),
            (DURATION, b"1.5"),
            (DURATION, b""),
            (DURATION, b"18446744073709551616"),
            (DURATION, b"1 2"),
            (TAG, &long),
            (TAG, b"a\tb"),
            (TAG, b"a b"),
            (TAG, b"\xc3\xa4"),
        ];
        for pair in bad {
            assert!(Preface::of(&headers(std::slice::from_ref(&pair))).is_err(), "{pair:?}");
        }
        assert!(Preface::of(&headers(&[(TAG, b"a"), (TAG, b"b")])).is_err());
    }

    #[test]
    fn what_is_no_preface_is_not_taken_for_one() {
        let line = Preface { duration: Some(1), tag: Some("a".into()) }.line();
        for end in 0..line.len() {
            assert_eq!(Preface::parse(&line[..end]), None);
        }
        let padded = [MARK, b"{}", &[b' '; LONGEST as usize], b"\n"].concat();
        for odd in [b"\n", &b"{}\n"[..], b"cortado-preface 2 {}\n", b"cortado-preface 1 []\n", &padded] {
            assert_eq!(Preface::parse(odd), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_comes_back(
            duration in proptest::option::of(any::<u64>()),
            tag in proptest::option::of("[!-~]{0,600}"),
            content in any::<Vec<u8>>(),
        ) {
            let preface = Preface { duration, tag };
            prop_assert_eq!(Preface::of(&preface.headers()).unwrap(), preface.clone());
            let line = preface.line();
            prop_assert!(line.len() as u64 <= LONGEST);
            prop_assert_eq!(Preface::parse(&[&line[..], &content].concat()), Some((preface, line.len() as u64)));
        }

        #[test]
        fn any_bytes_do_no_harm(bytes in any::<Vec<u8>>(), duration in any::<Vec<u8>>(), tag in any::<Vec<u8>>()) {
            if let Some((preface, length)) = Preface::parse(&[MARK, &bytes].concat()) {
                prop_assert!(length <= bytes.len() as u64 + MARK.len() as u64);
                preface.headers();
            }
            let values = [(DURATION, duration), (TAG, tag)];
            let headers = values.into_iter().filter_map(|(name, bytes)| Some((name, HeaderValue::from_bytes(&bytes).ok()?)));
            if let Ok(preface) = Preface::of(&headers.collect()) {
                prop_assert_eq!(Preface::of(&preface.headers()).unwrap(), preface);
            }
        }
    }
}
