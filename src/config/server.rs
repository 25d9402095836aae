//! A server as it is configured: where it listens, what it serves, and how much it allows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::configuration::Configuration;
use super::entry::{Section, mistake};
use super::settings::Settings;
use crate::cache::seconds;
use crate::error::{Error, Result};

/// What is said of a server; what is not said, is as the server has it by itself. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerSpec {
    /// The directory store to serve.
    pub dir: Option<PathBuf>,
    /// The TCP addresses to listen on.
    pub listen: Option<Vec<String>>,
    /// The Unix socket to listen on.
    pub unix: Option<PathBuf>,
    /// The size of a store that is made by serving it.
    pub size: Option<u64>,
    /// The largest object to take.
    pub max_object: Option<u64>,
    /// Whether nobody writes or removes anything.
    pub read_only: Option<bool>,
    /// The store that is asked for what is missing: its name, or the address of a web server.
    pub upstream: Option<String>,
    /// The file of users and tokens.
    pub htpasswd: Option<PathBuf>,
    /// Whether those may read who say nothing of themselves.
    pub anonymous_read: Option<bool>,
    /// The certificate, a PEM file.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    pub tls_key: Option<PathBuf>,
    /// The authorities of clients' certificates, a PEM file.
    pub tls_client_ca: Option<PathBuf>,
    /// Connections at once.
    pub max_connections: Option<usize>,
    /// Requests a second of each user.
    pub max_rate: Option<u32>,
    /// Bytes a second that a transfer has to reach.
    pub min_rate: Option<u64>,
    /// How long transfers may go on after the server was asked to stop.
    #[serde(with = "seconds::option")]
    pub grace: Option<Duration>,
    /// How requests are logged: `text`, `json` or `none`.
    pub access_log: Option<String>,
}

impl Configuration {
    /// The server that is configured: what its own file says of it. The stores are another matter.
    ///
    /// # Errors
    /// Unknown keys, and values that do not fit; each names its place.
    pub fn server_spec(&self) -> Result<ServerSpec> {
        let mut settings = Settings::new(self.surroundings.clone(), BTreeMap::new());
        for entry in self.entries.iter().filter(|entry| entry.section == Section::Server) {
            settings.hear(entry)?;
        }
        let mut spec = Map::new();
        for (key, heard) in settings.of_server() {
            let one = Value::Object(Map::from_iter([(key.to_owned(), heard.value.clone())]));
            serde_json::from_value::<ServerSpec>(one)
                .map_err(|error| mistake(&heard.origin, format!("`server.{key}` cannot be that: {error}"), ""))?;
            spec.insert(key.to_owned(), heard.value.clone());
        }
        serde_json::from_value(Value::Object(spec)).map_err(|error| Error::User(error.into()))
    }
}
