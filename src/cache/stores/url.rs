//! The address of a service: it may hold a password, so it shows itself without.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::MASK;

/// An address as it is configured, `https://user:password@host/path?query`. Shown and serialised, `user:password` is left
/// out and the query masked.
///
/// ```
/// let url = cortado::stores::Url::from("redis://:hush@cache.example.org/1?token=hush");
/// assert_eq!(format!("{url}"), "redis://cache.example.org/1?***");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Url(String);

impl Url {
    /// The address itself, for whoever connects to it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was configured.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of it is secret: the password, and the query.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Parts { credentials, query, .. } = self.parts();
        let password = credentials.split_once(':').map_or(credentials, |(_, password)| password);
        [password, query].into_iter().filter(|secret| !secret.is_empty()).map(str::to_owned).collect()
    }

    /// A password in which an `@` or `/` stands as such is no address, but is not shown either.
    fn parts(&self) -> Parts<'_> {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        Parts { scheme, credentials, place, query }
    }
}

struct Parts<'a> {
    scheme: &'a str,
    credentials: &'a str,
    place: &'a str,
    query: &'a str,
}

impl From<&str> for Url {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl From<String> for Url {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { scheme, place, query, .. } = self.parts();
        let separator = if scheme.is_empty() { "" } else { "://" };
        let query = if query.is_empty() { String::new() } else { format!("?{MASK}") };
        write!(f, "{scheme}{separator}{place}{query}")
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_however_badly_it_is_written() {
        let urls = ["redis://:hush@h:1/0", "u:hush@h:1/0", "http://u:a/b@hush@h:1/0", "http://h:1/0?sig=hush"];
        for url in urls.map(Url::from) {
            let shown = format!("{url} {url:?} {}", serde_json::to_string(&url).unwrap());
            assert!(shown.contains("h:1/0") && !shown.contains("hush"), "{shown}");
            assert!(url.secrets().concat().contains("hush"), "{url}");
        }
    }
}
