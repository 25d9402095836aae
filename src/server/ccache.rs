//! ccache's remote storage over HTTP: results and manifests by their key, in one of ccache's layouts.
//!
//! The protocol is that of `HttpStorage.cpp` in ccache's sources: `flat` has `/ccache/<key>`, `subdirs` has
//! `/ccache/<2 digits>/<rest>`, and `bazel` has `/ac/<64 digits>` below whatever address it is given.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get as reading;
use serde::Deserialize;

use super::auth::Client;
use super::in_path::InPath;
use super::keyed::{Deposit, Existing, Key};
use super::problem::Problem;
use super::route::Route;
use super::site::Site;
use super::upload::Upload;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "ccache";

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let methods = &["get", "head", "put", "delete"];
    let handlers = || reading(get).put(put).delete(remove);
    vec![Route::new("/ccache/{key}", methods, handlers()), Route::new("/ccache/{shard}/{key}", methods, handlers())]
}

async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    path.key()?.get(&site, &client, &headers).await
}

async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    // A manifest grows: it has the headers of every compilation so far.
    let deposit = Deposit { existing: Existing::Goes, ..Deposit::default() };
    path.key()?.put(&site, &client, upload, deposit).await?;
    Ok(StatusCode::CREATED)
}

async fn remove(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
) -> Result<StatusCode, Problem> {
    path.key()?.remove(&site, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The variable parts of an address.
#[derive(Debug, Deserialize)]
struct Path {
    #[serde(default)]
    shard: String,
    key: String,
}

impl Path {
    /// The same key in every layout: a directory is the beginning of it. That of `bazel` is longer than the others, so that
    /// its `ac` is mistaken for no such beginning.
    fn key(&self) -> Result<Key, Problem> {
        let key = format!("{}{}", self.shard, self.key);
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_sharded = self.shard.is_empty() || self.shard.len() == 2;
        if is_sharded && (20..=128).contains(&key.len()) && key.bytes().all(is_plain) {
            return Ok(Key::new(NAMESPACE, &key));
        }
        Err(Problem::bad_request(
            "a key of ccache has 20 to 128 digits `0` to `9`, `a` to `z`, with or without a directory",
        ))
    }
}
