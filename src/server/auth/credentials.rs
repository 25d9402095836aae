//! Credentials: what the `Authorization` header of a request says.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What somebody says of themselves.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::server) enum Credentials {
    /// Nothing.
    None,
    /// A name and a password.
    Basic(String, String),
    /// A token.
    Bearer(String),
    /// Something that is neither.
    Malformed,
}

impl Credentials {
    pub(in crate::server) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) => value.to_str().ok().and_then(parse).unwrap_or(Self::Malformed),
            // Two of them are two stories.
            (Some(_), Some(_)) => Self::Malformed,
        }
    }
}

fn parse(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
        return Some(Credentials::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Credentials::Basic(name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(values: &[&str]) -> Credentials {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        Credentials::of(&headers)
    }

    #[test]
    fn both_schemes_are_read() {
        assert!(of(&["Basic YW5uYTplczpwcmVzc28="]) == Credentials::Basic("anna".into(), "es:presso".into()));
        assert!(of(&["bearer  beans "]) == Credentials::Bearer("beans".into()));
        assert!(of(&[]) == Credentials::None);
    }

    #[test]
    fn anything_else_is_malformed() {
        for odd in ["Basic", "Basic !", "Basic YW5uYQ==", "Basic /w==", "Bearer", "Bearer ", "Digest x=y", ""] {
            assert!(of(&[odd]) == Credentials::Malformed, "{odd}");
        }
        assert!(of(&["Bearer a", "Bearer b"]) == Credentials::Malformed);
    }
}
