//! What is known of a service besides how to speak to it.

use std::sync::Arc;
use std::time::Duration;

use super::http_store::HttpStore;
use super::mask::Mask;
use super::network::Network;
use crate::error::Error;

/// A service, as its configuration describes it.
pub(super) struct Service {
    /// `s3 bucket shop`
    pub(super) place: String,
    /// For a whole object.
    pub(super) timeout: Duration,
    /// The largest object to fetch.
    pub(super) max_object_size: u64,
    /// The largest object that the service takes, if there is such a limit.
    pub(super) value_limit: Option<u64>,
    /// Whether nothing may be written.
    pub(super) read_only: bool,
    pub(super) mask: Arc<Mask>,
    /// Where whole objects are sent, because OpenDAL would hold them in memory.
    pub(super) uploads: Option<HttpStore>,
}

impl Service {
    /// A service that is reached by HTTP.
    pub(super) fn new(place: String, network: &Network, secrets: impl IntoIterator<Item = String>) -> Self {
        Self {
            place,
            timeout: network.total_timeout,
            max_object_size: network.max_object_size,
            value_limit: None,
            read_only: false,
            mask: Arc::new(Mask::new(secrets.into_iter().chain(network.secrets()))),
            uploads: None,
        }
    }

    /// A configuration that cannot be used.
    pub(super) fn refuse(&self, problem: impl std::fmt::Display) -> Error {
        let problem = self.mask.hide(&problem.to_string());
        Error::Invalid { place: format!("store {}", self.place), problem, hint: String::new() }
    }
}
