//! Gradle's HTTP build cache: GET and PUT of a task's outputs by their key.
//!
//! The protocol is that of `HttpBuildCacheService` in Gradle's sources. What is sent is a `.tar.gz` with a list of
//! properties, and nobody but Gradle looks into it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get as reading;

use super::auth::Client;
use super::in_path::InPath;
use super::keyed::{Deposit, Existing, Key};
use super::problem::Problem;
use super::route::Route;
use super::site::Site;
use super::upload::Upload;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "gradle";

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    vec![Route::new("/gradle/{key}", &["get", "head", "put"], reading(get).put(put))]
}

async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(key): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    key_of(&key)?.get(&site, &client, &headers).await
}

async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(key): InPath<String>,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    // Two builds of a task need not be alike byte for byte.
    let deposit = Deposit { existing: Existing::Goes, ..Deposit::default() };
    key_of(&key)?.put(&site, &client, upload, deposit).await?;
    Ok(StatusCode::CREATED)
}

/// A key has 128 bits; that of another version of Gradle may have more.
fn key_of(text: &str) -> Result<Key, Problem> {
    if (32..=128).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(Key::new(NAMESPACE, text));
    }
    Err(Problem::bad_request("a key of Gradle has 32 to 128 digits `0` to `9`, `a` to `f`"))
}
