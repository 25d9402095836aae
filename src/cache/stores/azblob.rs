//! What to know about a container of Azure Blob Storage.

use opendal::Operator;
use opendal::services::Azblob as Builder;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::object_store::ObjectStore;
use super::service::Service;
use crate::error::Result;
use crate::model::Secret;

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Azblob {
    /// How to reach the account: `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=…`, or with
    /// `BlobEndpoint=…`, or with `SharedAccessSignature=…` instead of the key.
    pub connection_string: Secret,
    /// The container's name.
    pub container: String,
    /// The directory of the objects in it; at its root by default.
    pub prefix: String,
    /// Whom to trust, and how long to wait.
    pub network: Network,
}

impl Azblob {
    /// A container of that name.
    pub fn new(connection_string: impl Into<Secret>, container: impl Into<String>) -> Self {
        Self { connection_string: connection_string.into(), container: container.into(), ..Self::default() }
    }

    /// The store. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// When what is configured cannot be used.
    pub fn open(&self) -> Result<ObjectStore> {
        let place = super::place("azblob container", &self.container, &self.prefix);
        let service = Service::new(place, &self.network, self.secrets());
        let builder = Builder::from_connection_string(self.connection_string.expose());
        let builder = builder.map_err(|error| service.refuse(error))?;
        let operator = Operator::new(builder.container(&self.container).root(&self.prefix));
        ObjectStore::by_http(operator, service, &self.network)
    }

    /// The string, its keys, and of a signature each part.
    fn secrets(&self) -> Vec<String> {
        let all = self.connection_string.expose();
        let fields = all.split(';').filter_map(|field| field.split_once('='));
        let keys = fields.filter(|(name, _)| matches!(name.trim(), "AccountKey" | "SharedAccessSignature"));
        let keys: Vec<_> = keys.map(|(_, value)| value).collect();
        let signatures = keys.iter().flat_map(|key| key.split('&')).filter_map(|part| part.strip_prefix("sig="));
        signatures.chain(keys.iter().copied()).chain([all]).map(str::to_owned).collect()
    }
}
