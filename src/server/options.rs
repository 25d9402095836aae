//! The options: what whoever runs a server decides.

use std::path::PathBuf;
use std::time::Duration;

use super::pace::Pace;

/// What a server allows, and how much. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Whether nothing may be written or removed, by whomever.
    pub read_only: bool,
    /// Whether those may read who say nothing of themselves. Means nothing without [`users`](ServerOptions::users).
    pub anonymous_read: bool,
    /// The file of users and tokens. Without one, everybody may do everything.
    pub users: Option<PathBuf>,
    /// Where the counts of requests are kept, so that they outlive the server: a directory, which is made when it is not
    /// there. Servers of one store may share it. Without one, they are forgotten when the server ends.
    pub history: Option<PathBuf>,
    /// The largest object: 10 GiB unless said.
    pub max_object: u64,
    /// Connections at once: 16,384 unless said. Further ones wait.
    pub max_connections: usize,
    /// Uploads at once: 256 unless said. Further ones wait.
    pub max_uploads: usize,
    /// How long a client may take for the head of a request, and how long a connection may idle: 60 s unless said.
    pub head_timeout: Duration,
    /// How long a client may send nothing in the middle of a body, or take nothing of an answer: 30 s unless said.
    pub stall_timeout: Duration,
    /// How many bytes a second a client has to send or take, on average over a
    /// [`stall_timeout`](ServerOptions::stall_timeout) that it was waited for: 1 KiB unless said, 0 for any.
    pub min_rate: u64,
    /// How many requests a user, or an address without one, may make in a second; any number unless said.
    pub max_rate: Option<u32>,
    /// How long transfers may go on after the server was stopped: 30 s unless said.
    pub grace: Duration,
}

impl ServerOptions {
    /// How long a client is waited for, and for how little.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.stall_timeout, self.min_rate)
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            anonymous_read: false,
            users: None,
            history: None,
            max_object: 10 << 30,
            max_connections: 16_384,
            max_uploads: 256,
            head_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(30),
            min_rate: 1 << 10,
            max_rate: None,
            grace: Duration::from_secs(30),
        }
    }
}
