//! What to know about a Redis server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;
use super::url::Url;

/// A server. It holds a value in memory, and so does the store while one is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Redis {
    /// The server's address: `redis://user:password@host:port/database`, or `redis+unix:///path`.
    pub url: Url,
    /// The beginning of the keys: `cortado` by default. What does not begin with it is none of the store's business.
    pub prefix: String,
    /// How long the server keeps an object: for ever by default, or until it needs the memory. In seconds.
    #[serde(with = "seconds::optional")]
    pub ttl: Option<Duration>,
    /// The largest object in bytes: 512 MiB, which is the server's own limit unless its `proto-max-bulk-len` says
    /// otherwise.
    pub value_limit: u64,
    /// For connecting, and for any silence of the server: 30 seconds.
    #[serde(with = "seconds")]
    pub timeout: Duration,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: Url::default(),
            prefix: "cortado".to_owned(),
            ttl: None,
            value_limit: 512 << 20,
            timeout: Duration::from_secs(30),
        }
    }
}

impl Redis {
    /// A server there.
    pub fn new(url: impl Into<Url>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}
