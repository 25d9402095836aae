//! What to know about a bucket of S3, or of a service that speaks like it.

use opendal::Operator;
use opendal::services::S3 as Builder;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::object_store::ObjectStore;
use super::service::Service;
use super::url::Url;
use crate::error::Result;
use crate::model::Secret;

/// A bucket. Credentials are those that are given; else those that the environment (`AWS_…`), the profile in
/// `~/.aws` or the machine's role has, in this order; else the bucket has to be `anonymous`. Asking for them is the one
/// place where the library reads the environment, because that is what leaving them out means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct S3 {
    /// The bucket's name.
    pub bucket: String,
    /// The directory of the objects in it; at its root by default.
    pub prefix: String,
    /// The address of the service; Amazon's by default.
    pub endpoint: Option<Url>,
    /// The region. By default that of the environment, or `us-east-1` where an endpoint or credentials are given.
    pub region: Option<String>,
    /// Whether the bucket is part of the path of addresses, and not of the host: where an `endpoint` is given, by
    /// default.
    pub path_style: Option<bool>,
    /// Whether requests are made without credentials.
    pub anonymous: bool,
    /// The profile to take out of `~/.aws`.
    pub profile: Option<String>,
    /// The credentials' identity.
    pub access_key_id: Option<String>,
    /// The credentials' key.
    pub secret_access_key: Option<Secret>,
    /// The token of credentials that last for some time only.
    pub session_token: Option<Secret>,
    /// Whom to trust, and how long to wait.
    pub network: Network,
}

impl S3 {
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
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            return Err(service.refuse("`access_key_id` and `secret_access_key` go together"));
        }
        if self.anonymous && self.access_key_id.is_some() {
            return Err(service.refuse("it is `anonymous` and has an `access_key_id`"));
        }
        ObjectStore::by_http(Operator::new(self.builder()), service, &self.network)
    }

    fn service(&self) -> Service {
        let secrets = [&self.secret_access_key, &self.session_token].into_iter().flatten();
        let secrets =
            secrets.map(|secret| secret.expose().to_owned()).chain(self.endpoint.iter().flat_map(Url::secrets));
        Service::new(super::place("s3 bucket", &self.bucket, &self.prefix), &self.network, secrets)
    }

    fn builder(&self) -> Builder {
        let mut builder = Builder::default().bucket(&self.bucket).root(&self.prefix);
        let given = self.anonymous || self.access_key_id.is_some();
        let region = self.region.as_deref().or((given || self.endpoint.is_some()).then_some("us-east-1"));
        if let Some(region) = region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint.expose());
        }
        if !self.path_style.unwrap_or(self.endpoint.is_some()) {
            builder = builder.enable_virtual_host_style();
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        if given {
            builder = builder.disable_config_load().disable_ec2_metadata();
        }
        if self.anonymous {
            builder = builder.skip_signature();
        }
        self.keys(builder)
    }

    fn keys(&self, mut builder: Builder) -> Builder {
        if let (Some(id), Some(key)) = (&self.access_key_id, &self.secret_access_key) {
            builder = builder.access_key_id(id).secret_access_key(key.expose());
        }
        match &self.session_token {
            Some(token) => builder.session_token(token.expose()),
            None => builder,
        }
    }
}
