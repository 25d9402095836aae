//! Digests in headers: `Content-Digest` and `Repr-Digest` of RFC 9530, and `Digest` of RFC 3230 before it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::problem::Problem;
use crate::Digest;

/// Of the bytes that are sent.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Of the whole object, whatever part of it is sent.
pub(super) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

const DIGEST: HeaderName = HeaderName::from_static("digest");

/// The digests that somebody has promised of a content. SHA-256 is checked, others are not known here.
#[derive(Debug, Clone, Default)]
pub(super) struct Promises(Vec<Digest>);

impl Promises {
    /// The promises among the headers of a request.
    ///
    /// # Errors
    /// 400 for a SHA-256 that is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut promises = Vec::new();
        for name in [CONTENT_DIGEST, REPR_DIGEST, DIGEST] {
            for value in headers.get_all(&name) {
                let text = value.to_str().map_err(|_| wrong(&name))?;
                for member in text.split(',') {
                    promises.extend(digest_of(member.trim(), name != DIGEST).map_err(|()| wrong(&name))?);
                }
            }
        }
        Ok(Self(promises))
    }

    /// A promise that a protocol makes: the name of a content that is named by its digest.
    pub(super) fn add(&mut self, digest: Digest) {
        self.0.push(digest);
    }

    /// Whether they are kept.
    ///
    /// # Errors
    /// 400 when one is not.
    pub(super) fn check(&self, found: &Digest) -> Result<(), Problem> {
        match self.0.iter().find(|promised| *promised != found) {
            None => Ok(()),
            Some(promised) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the SHA-256 of the body is {found}, but {promised} was promised"),
            )),
        }
    }
}

/// `sha-256=:…:` as a header has it.
pub(super) fn field(digest: &Digest) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("sha-256=:{}:", BASE64_STANDARD.encode(digest.as_bytes()))).ok()
}

/// The SHA-256 in one member of a header; none when it is of another algorithm.
fn digest_of(member: &str, is_structured: bool) -> Result<Option<Digest>, ()> {
    let Some((algorithm, value)) = member.split_once('=') else { return Err(()) };
    if !algorithm.trim().eq_ignore_ascii_case("sha-256") {
        return Ok(None);
    }
    let value = value.trim();
    let value = match is_structured {
        true => value.strip_prefix(':').and_then(|value| value.strip_suffix(':')).ok_or(())?,
        false => value,
    };
    let bytes = BASE64_STANDARD.decode(value).map_err(|_| ())?;
    <[u8; 32]>::try_from(bytes).map(|bytes| Some(bytes.into())).map_err(|_| ())
}

fn wrong(name: &HeaderName) -> Problem {
    Problem::bad_request(format!(
        "`{name}` holds no SHA-256: it is `sha-256=:<base64>:`, and `sha-256=<base64>` in `digest`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn promises(name: &'static str, value: &str) -> Result<Vec<Digest>, StatusCode> {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())]);
        Promises::of(&headers).map(|promises| promises.0).map_err(|problem| problem.status())
    }

    #[test]
    fn both_forms_are_read_and_other_algorithms_left() {
        let nothing = Ok(vec![Digest::of("")]);
        assert_eq!(promises("content-digest", &format!("sha-512=:YQ==:, sha-256=:{OF_NOTHING}:")), nothing);
        assert_eq!(promises("digest", &format!("SHA-256={OF_NOTHING},md5=YQ==")), nothing);
        assert_eq!(promises("repr-digest", "unixsum=30637"), Ok(vec![]));
        assert_eq!(field(&Digest::of("")).unwrap(), format!("sha-256=:{OF_NOTHING}:"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for bad in ["sha-256", "sha-256=:YQ==:", "sha-256=YQ==", "sha-256=:!:", "sha-256=:"] {
            assert_eq!(promises("content-digest", bad), Err(StatusCode::BAD_REQUEST), "{bad}");
        }
    }

    #[test]
    fn a_promise_is_kept_or_not() {
        let mut promises = Promises::default();
        promises.add(Digest::of("beans"));
        assert!(promises.check(&Digest::of("beans")).is_ok() && promises.check(&Digest::of("bones")).is_err());
    }
}
