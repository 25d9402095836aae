//! How a store uses the network: whom it trusts, and how patient it is.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;
use super::url::Url;
use crate::host::http;

/// How a store that is reached by HTTP uses the network. Times are in seconds where it is read from text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Network {
    /// A PEM file of certificate authorities to trust instead of the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// The proxy, as `http://user:password@host:port`.
    pub proxy: Option<Url>,
    /// For name lookup, connection and TLS handshake: 10 seconds.
    #[serde(with = "seconds")]
    pub connect_timeout: Duration,
    /// For any silence of the server: 30 seconds.
    #[serde(with = "seconds")]
    pub idle_timeout: Duration,
    /// For a whole request with its answer, an object included: 600 seconds. It ends a server that drips.
    #[serde(with = "seconds")]
    pub total_timeout: Duration,
    /// Attempts after the first one when the server says that it is busy: 2.
    pub retries: usize,
    /// The longest pause between two of them: 5 seconds. When a server asks for more, that is the end of it.
    #[serde(with = "seconds")]
    pub longest_pause: Duration,
    /// The largest object to fetch, in bytes: 16 GiB. It ends a server that never stops.
    pub max_object_size: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ca_file: None,
            proxy: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(600),
            retries: 2,
            longest_pause: Duration::from_secs(5),
            max_object_size: 16 << 30,
        }
    }
}

impl Network {
    /// A client that does as this says.
    pub(super) fn client(&self) -> crate::error::Result<http::Client> {
        http::Client::new(&http::Network {
            offline: false,
            timeouts: http::Timeouts {
                connect: self.connect_timeout,
                idle: self.idle_timeout,
                total: Some(self.total_timeout),
            },
            retries: http::Retries {
                times: self.retries,
                first: Duration::from_millis(200).min(self.longest_pause),
                longest: self.longest_pause,
            },
            ca_file: self.ca_file.clone(),
            proxy: self.proxy.as_ref().map(|proxy| proxy.expose().to_owned()),
        })
    }

    /// What of it is secret.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.proxy.iter().flat_map(Url::secrets).collect()
    }
}
