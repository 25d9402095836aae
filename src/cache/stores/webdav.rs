//! What to know about a WebDAV server.

use opendal::Operator;
use opendal::services::Webdav as Builder;
use serde::{Deserialize, Serialize};

use super::http::Http;
use super::network::Network;
use super::object_store::ObjectStore;
use super::service::Service;
use super::url::Url;
use crate::error::Result;
use crate::model::Secret;

/// A server. What it has over a plain web server is that it makes directories and lists its objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Webdav {
    /// The server's address.
    pub endpoint: Url,
    /// The directory of the objects; at its root by default. It is made when it is not there.
    pub prefix: String,
    /// The user of Basic authentication.
    pub username: Option<String>,
    /// The password of Basic authentication.
    pub password: Option<Secret>,
    /// A bearer token, instead of user and password.
    pub token: Option<Secret>,
    /// Whom to trust, and how long to wait.
    pub network: Network,
}

impl Webdav {
    /// A server there, without credentials.
    pub fn new(endpoint: impl Into<Url>) -> Self {
        Self { endpoint: endpoint.into(), ..Self::default() }
    }

    /// The store. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When what is configured cannot be used.
    pub fn open(&self) -> Result<ObjectStore> {
        let secrets = [&self.password, &self.token].into_iter().flatten();
        let secrets = secrets.map(|secret| secret.expose().to_owned()).chain(self.endpoint.secrets());
        let mut service = Service::new(super::place("webdav at", &self.endpoint, &self.prefix), &self.network, secrets);
        if !self.endpoint.secrets().is_empty() {
            return Err(service.refuse("credentials belong into `username` and `password`, not into the address"));
        }
        service.uploads = Some(self.uploads().open()?);
        let mut builder = Builder::default().endpoint(self.endpoint.expose()).root(&self.prefix);
        if let Some(username) = &self.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.password(password.expose());
        }
        if let Some(token) = &self.token {
            builder = builder.token(token.expose());
        }
        ObjectStore::by_http(Operator::new(builder), service, &self.network)
    }

    /// The same directory as a plain web server: OpenDAL would send an object only as a whole, out of memory.
    fn uploads(&self) -> Http {
        let (endpoint, prefix) = (self.endpoint.expose().trim_end_matches('/'), self.prefix.trim_matches('/'));
        let mut http = Http::new(format!("{endpoint}/{prefix}"));
        http.username.clone_from(&self.username);
        http.password.clone_from(&self.password);
        http.token.clone_from(&self.token);
        http.network.clone_from(&self.network);
        http
    }
}
