//! What everything that speaks HTTP shares: addresses, the client, redirects, patience.
#![cfg_attr(not(feature = "http"), allow(dead_code, reason = "without the network, what only it needs lies idle"))]

mod address;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod redirect;
#[cfg(feature = "http")]
mod request;

#[cfg(test)]
#[cfg(feature = "http")]
#[allow(dead_code, reason = "its other half is for the tests of stores")]
pub(crate) mod server;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use address::{Address, redact};
#[cfg(feature = "http")]
pub(crate) use address::{escape, unescape};
#[cfg(feature = "http")]
pub(crate) use client::{agent, basic};
#[cfg(feature = "http")]
pub(crate) use redirect::follow;
#[cfg(feature = "http")]
pub(crate) use request::{Client, Content, Request, extent, retry_after};

/// How to use the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// Forbids the network; `file` addresses still work.
    pub(crate) offline: bool,
    /// When to give up an attempt.
    pub(crate) timeouts: Timeouts,
    /// How often and when to try again.
    pub(crate) retries: Retries,
    /// A PEM file of certificate authorities to trust instead of the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// The proxy to use, as `http://user:password@host:port`; the environment is not consulted.
    pub(crate) proxy: Option<String>,
}

/// When to give up an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For name lookup, connection and TLS handshake.
    pub(crate) connect: Duration,
    /// For any silence of the server.
    pub(crate) idle: Duration,
    /// For the whole attempt, if limited.
    pub(crate) total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), idle: Duration::from_secs(60), total: None }
    }
}

/// How often and when to try again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retries {
    /// Attempts after the first one.
    pub(crate) times: usize,
    /// The wait before the second attempt; it doubles from there, with jitter.
    pub(crate) first: Duration,
    /// The longest wait, also where a server's `Retry-After` asks for more.
    pub(crate) longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { times: 4, first: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

#[cfg(feature = "http")]
impl Retries {
    /// The wait before each further attempt.
    pub(crate) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        use backon::{BackoffBuilder, ExponentialBuilder};
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_max_times(self.times)
            .with_jitter()
            .build()
    }
}
