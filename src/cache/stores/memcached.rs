//! What to know about a memcached server.

use std::time::Duration;

use opendal::Operator;
use opendal::services::Memcached as Builder;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::object_store::ObjectStore;
use super::seconds;
use super::service::Service;
use super::url::Url;
use crate::error::Result;
use crate::model::Secret;

/// A server. It holds a value in memory, and so does the store while one is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Memcached {
    /// The server's address: `tcp://host:port`, or `unix:///path`.
    pub url: Url,
    /// The beginning of the keys: `cortado` by default.
    pub prefix: String,
    /// The user of SASL authentication.
    pub username: Option<String>,
    /// The password of SASL authentication.
    pub password: Option<Secret>,
    /// How long the server keeps an object: 30 days at the longest, for ever by default. In seconds.
    #[serde(with = "seconds::optional")]
    pub ttl: Option<Duration>,
    /// The largest object in bytes: 1 MiB less what the server needs for itself, as it is without its option `-I`.
    pub value_limit: u64,
    /// For each request: 30 seconds.
    #[serde(with = "seconds")]
    pub timeout: Duration,
}

impl Default for Memcached {
    fn default() -> Self {
        Self {
            url: Url::default(),
            prefix: "cortado".to_owned(),
            username: None,
            password: None,
            ttl: None,
            value_limit: (1 << 20) - 1024,
            timeout: Duration::from_secs(30),
        }
    }
}

impl Memcached {
    /// A server there.
    pub fn new(url: impl Into<Url>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// The store. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When what is configured cannot be used.
    pub fn open(&self) -> Result<ObjectStore> {
        let secrets = self.password.iter().map(|password| password.expose().to_owned()).chain(self.url.secrets());
        let service = Service {
            timeout: self.timeout,
            value_limit: Some(self.value_limit),
            ..Service::new(super::place("memcached at", &self.url, &self.prefix), &Network::default(), secrets)
        };
        if self.url.is_empty() {
            return Err(service.refuse("it has no `url`"));
        }
        let mut builder = Builder::default().endpoint(self.url.expose()).root(&self.prefix);
        if let Some(ttl) = self.ttl {
            builder = builder.default_ttl(ttl);
        }
        if let (Some(username), Some(password)) = (&self.username, &self.password) {
            builder = builder.username(username).password(password.expose());
        }
        ObjectStore::new(Operator::new(builder), service)
    }
}
