//! Nx's self-hosted remote cache: GET and PUT of a task's outputs by their hash.
//!
//! The protocol is that of Nx's OpenAPI description 1.0.0 ("Self-Hosted Caching"). The client is strict: only 200 means that
//! an object was kept. What is sent is a `.tar.gz`, of which Nx says that it may become something else.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get as reading;

use super::auth::Client;
use super::in_path::InPath;
use super::keyed::{Deposit, Key};
use super::problem::Problem;
use super::route::Route;
use super::shelf::Kept;
use super::site::Site;
use super::task_hash;
use super::upload::Upload;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "nx";

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    vec![Route::new("/v1/cache/{key}", &["get", "head", "put"], reading(get).put(put)).refusing(refusal)]
}

async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(hash): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    key_of(&hash)?.get(&site, &client, &headers).await
}

async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(hash): InPath<String>,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    let key = key_of(&hash)?;
    if !upload.headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Problem::new(StatusCode::LENGTH_REQUIRED, "say how long the body is by `Content-Length`"));
    }
    match key.put(&site, &client, upload, Deposit::default()).await? {
        Kept::New(_) => Ok(StatusCode::OK),
        Kept::Same(_) | Kept::Different(_) => Err(Problem::conflict("there is one of that hash already, which stays")),
    }
}

fn key_of(hash: &str) -> Result<Key, Problem> {
    task_hash::check(hash)?;
    Ok(Key::new(NAMESPACE, hash))
}

/// The client shows the text of an answer to its user, if its type is this one to the letter.
fn refusal(problem: &Problem) -> (StatusCode, &'static str, String) {
    (problem.status(), "text/plain", problem.detail().to_owned())
}
