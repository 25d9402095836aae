//! Redirects: following them, and where one leads: a `Location` header against the address that answered with it
//! (RFC 3986, section 5.2).

use ureq::Body;
use ureq::http::{Method, Response, header};

use super::address::Address;
use crate::error::{Error, Result};

const REDIRECTS_MAX: usize = 10;

/// Asks for the answer of an address, and of wherever that redirects to, until one is no redirect. `fail` makes an
/// error of a reason.
pub(crate) fn follow<E: From<Error>>(
    start: &Address,
    method: &Method,
    mut ask: impl FnMut(&Address) -> Result<Response<Body>, E>,
    fail: impl Fn(String) -> E,
) -> Result<Response<Body>, E> {
    let mut address = start.clone();
    for _ in 0..=REDIRECTS_MAX {
        let response = ask(&address)?;
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        match location {
            Some(location) if redirects(response.status().as_u16(), method) => address = address.join(location)?,
            _ => return Ok(response),
        }
        if address.scheme == "file" {
            return Err(fail("it redirects to a `file` address".into()));
        }
    }
    Err(fail(format!("it redirects more than {REDIRECTS_MAX} times")))
}

/// Whether the same request is meant to be made elsewhere. A 301 to 303 makes a GET of any other (RFC 9110, section
/// 15.4), which is never what was meant.
fn redirects(status: u16, method: &Method) -> bool {
    matches!((status, method), (301..=303, &Method::GET | &Method::HEAD) | (307 | 308, _))
}

impl Address {
    /// The address that `location` means when it comes from here.
    pub(crate) fn join(&self, location: &str) -> Result<Address> {
        if has_scheme(location) {
            return Address::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Address::parse(&format!("{}://{rest}", self.scheme));
        }
        let location = location.split('#').next().unwrap_or_default();
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match location.chars().next() {
            Some('/') => without_dots(location),
            Some('?') => format!("{path}{location}"),
            _ => without_dots(&format!("{}/{location}", path.rsplit_once('/').map_or("", |(dir, _)| dir))),
        };
        Address::parse(&format!("{}://{}{target}", self.scheme, self.authority))
    }
}

fn has_scheme(location: &str) -> bool {
    let scheme = location.split(['/', '?', '#']).next().unwrap_or_default();
    scheme.split_once(':').is_some_and(|(name, _)| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A path with `.` and `..` segments carried out; the query is left alone.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let segments = path.split('/').skip(1);
    for segment in segments.clone() {
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            _ => kept.push(segment),
        }
    }
    if matches!(segments.last(), Some("." | "..")) {
        kept.push("");
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_location_is_understood() {
        let base = Address::parse("https://u:p@a.org:1/b/c/d?q").unwrap();
        let joined = |location| base.join(location).unwrap().shown();
        assert_eq!(joined("http://b.org/x"), "http://b.org/x");
        assert_eq!(joined("//b.org/x"), "https://b.org/x");
        assert_eq!(joined("/x?y=../z"), "https://a.org:1/x?y=../z");
        assert_eq!(joined("x#f"), "https://a.org:1/b/c/x");
        assert_eq!(joined("../../../x/."), "https://a.org:1/x/");
        assert_eq!(joined("?r"), "https://a.org:1/b/c/d?r");
        assert!(base.join("javascript:alert(1)").is_err());
    }
}
