//! A place: the path of a request, taken apart and checked.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::{NAMESPACE, ROOT, not_allowed};
use crate::server::keyed::Key;
use crate::server::problem::Problem;

/// The longest path, in bytes.
const LONGEST: usize = 1024;

/// A path below the root, without a slash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An object, whether there is one or not.
    Object(String),
    /// A directory: what ends with a slash. The root is empty.
    Directory(String),
}

impl Place {
    /// Reads a path as a client has sent it. Parts are told apart before they are decoded, so that no encoded slash makes
    /// two of one.
    fn parse(path: &str) -> Result<Self, Problem> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (parts, is_dir) = match path.strip_suffix('/') {
            Some(parts) => (parts, true),
            None => (path, path.is_empty()),
        };
        if path.is_empty() {
            return Ok(Self::Directory(String::new()));
        }
        let parts = parts.split('/').map(part).collect::<Result<Vec<_>, _>>()?;
        let path = parts.join("/");
        match path.len() {
            LONGEST.. => Err(Problem::bad_request(format!("a path has less than {LONGEST} bytes"))),
            _ if is_dir => Ok(Self::Directory(path + "/")),
            _ => Ok(Self::Object(path)),
        }
    }

    /// The key of the object.
    ///
    /// # Errors
    /// 405 for a directory.
    pub(super) fn object(&self) -> Result<Key, Problem> {
        match self {
            Self::Object(path) => Ok(Self::key(path)),
            Self::Directory(_) => Err(not_allowed("this is a directory: it takes PROPFIND and MKCOL")),
        }
    }

    pub(super) fn key(path: &str) -> Key {
        Key::new(NAMESPACE, path)
    }
}

fn part(text: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| Problem::bad_request("the path is no UTF-8"))?;
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if matches!(&*decoded, "" | "." | "..") || decoded.contains(is_odd) {
        return Err(Problem::bad_request(
            "a path has no empty parts, no `.`, no `..`, no encoded slashes, backslashes or control characters",
        ));
    }
    Ok(decoded.into_owned())
}

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let path = parts.uri.path();
        Self::parse(path.strip_prefix(ROOT).unwrap_or(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<Place> {
        Place::parse(path).ok()
    }

    #[test]
    fn a_slash_at_the_end_makes_a_directory() {
        assert_eq!(parse("/a/b%20c"), Some(Place::Object("a/b c".into())));
        assert_eq!(parse("/a/b/"), Some(Place::Directory("a/b/".into())));
        assert_eq!([parse(""), parse("/")], [const { Some(Place::Directory(String::new())) }; 2]);
        assert_eq!(parse("/.sccache_check"), Some(Place::Object(".sccache_check".into())));
    }

    #[test]
    fn no_path_leads_elsewhere() {
        let long = format!("/{}", "a/".repeat(600));
        for bad in ["//", "/a//b", "/.", "/a/../b", "/%2e%2e/a", "/a%2fb", "/a%5Cb", "/a%00", "/%ff", "/a\nb", &long] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
