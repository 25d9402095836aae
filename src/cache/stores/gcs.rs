//! What to know about a bucket of Google Cloud Storage.

use std::path::PathBuf;

use opendal::Operator;
use opendal::services::Gcs as Builder;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::object_store::ObjectStore;
use super::service::Service;
use super::token_url::TokenUrl;
use super::url::Url;
use crate::error::Result;

/// A bucket. Without a key file, a token address and `anonymous`, credentials are those of the environment
/// (`GOOGLE_APPLICATION_CREDENTIALS`), of `gcloud`, or of the machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Gcs {
    /// The bucket's name.
    pub bucket: String,
    /// The directory of the objects in it; at its root by default.
    pub prefix: String,
    /// The address of the service; Google's by default.
    pub endpoint: Option<Url>,
    /// The JSON file with the key of a service account.
    pub key_file: Option<PathBuf>,
    /// An address that answers a GET with `{"accessToken": "…", "expirationTime": "2026-01-31T12:00:00Z"}`.
    pub token_url: Option<Url>,
    /// Whether requests are made without credentials.
    pub anonymous: bool,
    /// Whether artifacts are only read: nothing is put, and no right to do so is asked for.
    pub read_only: bool,
    /// Whom to trust, and how long to wait.
    pub network: Network,
}

impl Gcs {
    /// A bucket of that name.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), ..Self::default() }
    }

    /// The store. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// When what is configured cannot be used.
    pub fn open(&self) -> Result<ObjectStore> {
        let service = self.service();
        let ways = [self.key_file.is_some(), self.token_url.is_some(), self.anonymous];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(service.refuse("of `key_file`, `token_url` and `anonymous`, one says who asks"));
        }
        if let Some(path) = &self.key_file {
            // The service would be asked without credentials otherwise, and refuse.
            std::fs::File::open(path).map_err(crate::error::Error::io("open", path))?;
        }
        ObjectStore::by_http(Operator::new(self.builder()), service, &self.network)
    }

    fn service(&self) -> Service {
        let secrets = [&self.endpoint, &self.token_url].into_iter().flatten().flat_map(Url::secrets);
        let place = super::place("gcs bucket", &self.bucket, &self.prefix);
        Service { read_only: self.read_only, ..Service::new(place, &self.network, secrets) }
    }

    fn builder(&self) -> Builder {
        let right = if self.read_only { "read_only" } else { "read_write" };
        let scope = format!("https://www.googleapis.com/auth/devstorage.{right}");
        let mut builder = Builder::default().bucket(&self.bucket).root(&self.prefix).scope(&scope);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint.expose());
        }
        if let Some(path) = &self.key_file {
            builder = builder.credential_path(&path.to_string_lossy()).disable_vm_metadata().disable_config_load();
        }
        if let Some(url) = &self.token_url {
            builder = builder.credential_provider(TokenUrl(url.clone())).disable_vm_metadata().disable_config_load();
        }
        if self.anonymous { builder.skip_signature().disable_vm_metadata().disable_config_load() } else { builder }
    }
}
