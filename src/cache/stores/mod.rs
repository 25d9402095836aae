//! Stores that are reached over a network. Each kind has a configuration, named after the service, whose `open` makes the
//! store; configuration files are read into the same types.
//!
//! Nothing is asked of a service before the first object is. What each of them can and cannot do is described in
//! `docs/stores.md`.

#![cfg_attr(not(feature = "stores"), allow(dead_code, reason = "no service by itself needs all that they share"))]

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "azblob")]
mod azblob;
#[cfg(feature = "objects")]
mod feed;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod http_store;
#[cfg(feature = "http")]
mod labels;
#[cfg(feature = "http")]
mod listing;
#[cfg(any(feature = "objects", feature = "redis"))]
mod mask;
#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "http")]
mod network;
#[cfg(feature = "objects")]
mod object_store;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(feature = "objects")]
mod runtime;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "http")]
mod seconds;
#[cfg(feature = "objects")]
mod service;
#[cfg(feature = "http")]
mod sized;
#[cfg(feature = "gcs")]
mod token_url;
#[cfg(feature = "objects")]
mod transport;
#[cfg(feature = "http")]
mod turns;
#[cfg(feature = "objects")]
mod upload;
#[cfg(feature = "http")]
mod url;
#[cfg(feature = "webdav")]
mod webdav;

#[cfg(feature = "azblob")]
pub use self::azblob::Azblob;
#[cfg(feature = "gcs")]
pub use self::gcs::Gcs;
#[cfg(feature = "memcached")]
pub use self::memcached::Memcached;
#[cfg(feature = "objects")]
pub use self::object_store::ObjectStore;
#[cfg(feature = "s3")]
pub use self::s3::S3;
#[cfg(feature = "webdav")]
pub use self::webdav::Webdav;
#[cfg(feature = "http")]
pub use self::{http::Http, http_store::HttpStore, network::Network, url::Url};
#[cfg(feature = "redis")]
pub use self::{redis::Redis, redis_store::RedisStore};
pub use super::unsupported::Unsupported;
pub use crate::model::Secret;

/// A place below a prefix: `s3 bucket shop/ci`.
#[cfg(any(feature = "objects", feature = "redis"))]
fn place(kind: &str, service: impl std::fmt::Display, prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => format!("{kind} {service}"),
        prefix => format!("{kind} {service}/{prefix}"),
    }
}

/// The answer of a service that has a limit.
#[cfg(any(feature = "objects", feature = "redis"))]
fn too_large(place: &str, size: u64, limit: u64) -> crate::cache::Stored {
    let (size, limit) = (crate::text::bytes(size), crate::text::bytes(limit));
    crate::cache::Stored::Declined(format!("too large for {place}: {size}, its limit is {limit}"))
}
