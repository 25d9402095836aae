//! What to know about a web server that keeps objects.

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::url::Url;
use crate::model::Secret;

/// A web server on which objects are read, written and removed by GET, PUT and DELETE of `<url>/<name>`.
///
/// ```
/// # fn main() -> cortado::Result<()> {
/// let mut server = cortado::stores::Http::new("https://cache.example.org/shop");
/// server.token = Some("tea-leaves".into());
/// let store = server.open()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Http {
    /// The address below which the objects lie, `http` or `https`. `user:password@` in it is Basic authentication.
    pub url: Url,
    /// The user of Basic authentication.
    pub username: Option<String>,
    /// The password of Basic authentication.
    pub password: Option<Secret>,
    /// A bearer token, instead of user and password.
    pub token: Option<Secret>,
    /// Whom to trust, and how long to wait.
    pub network: Network,
}

impl Http {
    /// A server without credentials.
    pub fn new(url: impl Into<Url>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}
