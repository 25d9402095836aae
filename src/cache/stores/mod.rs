//! Stores that are reached over a network. Each kind has a configuration, named after the service, whose `open` makes the
//! store; configuration files are read into the same types.
//!
//! Nothing is asked of a service before the first object is. What each of them can and cannot do is described in
//! `docs/stores.md`.

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod http_store;
#[cfg(feature = "http")]
mod labels;
#[cfg(feature = "http")]
mod listing;
#[cfg(feature = "http")]
mod network;
#[cfg(feature = "http")]
mod seconds;
#[cfg(feature = "http")]
mod sized;
#[cfg(feature = "http")]
mod turns;
#[cfg(feature = "http")]
mod url;

#[cfg(feature = "http")]
pub use self::{http::Http, http_store::HttpStore, network::Network, url::Url};
pub use super::unsupported::Unsupported;
pub use crate::model::Secret;
