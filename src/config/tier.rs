//! A tier as it is configured, and the one place where a specification becomes a store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::directory::Directory;
use super::secret::SecretSource;
use super::store_kind::StoreKind;
#[cfg(feature = "http")]
use crate::cache::stores;
use crate::cache::{Store, Tier, TierSettings};
use crate::error::{Error, Result};

/// A tier that is configured. Nothing is opened, and its secrets are with whoever has them.
#[derive(Debug, Clone)]
pub struct TierSpec {
    pub(super) name: String,
    pub(super) kind: StoreKind,
    pub(super) options: Map<String, Value>,
    pub(super) secrets: Vec<SecretSource>,
    pub(super) netrc: bool,
    pub(super) settings: TierSettings,
}

/// What a store is: as data, `{ "type": "directory", "path": "/cache" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreSpec {
    /// A directory.
    Directory(Directory),
    /// A web server.
    #[cfg(feature = "http")]
    Http(stores::Http),
    /// Amazon S3 and what speaks like it.
    #[cfg(feature = "s3")]
    S3(stores::S3),
    /// Google Cloud Storage.
    #[cfg(feature = "gcs")]
    Gcs(stores::Gcs),
    /// Azure Blob Storage.
    #[cfg(feature = "azblob")]
    Azblob(stores::Azblob),
    /// Redis and what speaks like it.
    #[cfg(feature = "redis")]
    Redis(stores::Redis),
    /// Memcached.
    #[cfg(feature = "memcached")]
    Memcached(stores::Memcached),
    /// A WebDAV server.
    #[cfg(feature = "webdav")]
    Webdav(stores::Webdav),
}

impl StoreSpec {
    /// The store.
    ///
    /// # Errors
    /// When it cannot be what the specification says. That a remote one does not answer turns out later.
    pub fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::Directory(directory) => Arc::new(directory.open()?),
            #[cfg(feature = "http")]
            Self::Http(server) => Arc::new(server.open()?),
            #[cfg(feature = "s3")]
            Self::S3(service) => Arc::new(service.open()?),
            #[cfg(feature = "gcs")]
            Self::Gcs(service) => Arc::new(service.open()?),
            #[cfg(feature = "azblob")]
            Self::Azblob(service) => Arc::new(service.open()?),
            #[cfg(feature = "redis")]
            Self::Redis(service) => Arc::new(service.open()?),
            #[cfg(feature = "memcached")]
            Self::Memcached(service) => Arc::new(service.open()?),
            #[cfg(feature = "webdav")]
            Self::Webdav(service) => Arc::new(service.open()?),
        })
    }
}

impl TierSpec {
    /// The store's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the store is.
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// How it is used.
    pub fn settings(&self) -> &TierSettings {
        &self.settings
    }

    /// The specification of the store, with the secrets that `reveal` gets from those who have them.
    ///
    /// # Errors
    /// What `reveal` says, and whatever the specification does not take.
    pub fn store(&self, reveal: &dyn Fn(&SecretSource) -> Result<String>) -> Result<StoreSpec> {
        if self.kind == StoreKind::Directory && !self.options.contains_key("path") {
            return Err(nowhere());
        }
        let mut options = self.options.clone();
        options.insert("type".into(), self.kind.word().into());
        for source in &self.secrets {
            options.insert(source.at.to_owned(), reveal(source)?.into());
        }
        serde_json::from_value(Value::Object(options)).map_err(|error| Error::Invalid {
            place: format!("store `{}`", self.name),
            problem: error.to_string(),
            hint: String::new(),
        })
    }

    /// Whether the user wants the password looked up by the server's name, as `curl --netrc` does.
    pub fn netrc(&self) -> bool {
        self.netrc
    }

    /// The tier with an opened store.
    pub fn with(&self, store: Arc<dyn Store>) -> Tier {
        Tier::near(&self.name, store).settings(self.settings.clone())
    }
}

fn nowhere() -> Error {
    Error::Invalid {
        place: "cache directory".into(),
        problem: "neither XDG_CACHE_HOME nor HOME says where it is".into(),
        hint: "give one with `--cache-dir`, or do without by `--no-cache`".into(),
    }
}
