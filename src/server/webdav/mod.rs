//! WebDAV, as much of it as sccache, OpenDAL, `curl` and `cadaver` need: files by path, and directories that are there
//! whenever somebody asks.
//!
//! The protocol is that of RFC 4918 without locks, dead properties, COPY and MOVE. The body of a request, which would be
//! XML, is not read: every answer has all properties there are.

mod depth;
mod multistatus;
mod place;
mod propfind;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get as reading, options};

use self::place::Place;
use super::auth::{Client, Role};
use super::keyed::{Deposit, Existing};
use super::problem::Problem;
use super::route::Route;
use super::site::Site;
use super::upload::Upload;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "webdav";

/// Where the root lies.
const ROOT: &str = "/webdav";

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, DELETE, OPTIONS, PROPFIND, MKCOL");

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let of_all = &["get", "head", "put", "delete", "options", "propfind", "mkcol"];
    let of_root = &["options", "propfind", "mkcol"];
    vec![
        Route::new("/webdav", of_root, directory()),
        Route::new("/webdav/", of_root, directory()),
        Route::new("/webdav/{*path}", of_all, directory().merge(reading(get).put(put).delete(remove))),
    ]
}

fn directory() -> MethodRouter<Arc<Site>> {
    options(allowed).fallback(beyond_http)
}

async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    place: Place,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    place.object()?.get(&site, &client, &headers).await
}

async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    place: Place,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    let deposit = Deposit { existing: Existing::Goes, ..Deposit::default() };
    place.object()?.put(&site, &client, upload, deposit).await?;
    Ok(StatusCode::CREATED)
}

async fn remove(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    place: Place,
) -> Result<StatusCode, Problem> {
    place.object()?.remove(&site, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn allowed(Extension(client): Extension<Client>) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let compliance = (HeaderName::from_static("dav"), HeaderValue::from_static("1"));
    Ok([(header::ALLOW, ALLOW), compliance].into_response())
}

/// The methods that HTTP itself does not know.
async fn beyond_http(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    method: Method,
    place: Place,
    upload: Upload,
) -> Result<Response, Problem> {
    match method.as_str() {
        "PROPFIND" => propfind::propfind(&site, &client, place, upload).await,
        "MKCOL" => make(&site, &client, &place).await.map(IntoResponse::into_response),
        _ => Err(not_allowed("this address takes other methods")),
    }
}

/// MKCOL. A directory is there already; where there is an object, there will be none.
async fn make(site: &Site, client: &Client, place: &Place) -> Result<StatusCode, Problem> {
    client.may(Role::Writer, NAMESPACE)?;
    if let Place::Object(path) = place
        && Place::key(path).look(site, client).await?.is_some()
    {
        return Err(not_allowed("there is an object of that name"));
    }
    Ok(StatusCode::CREATED)
}

fn not_allowed(detail: &'static str) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(header::ALLOW, ALLOW)
}
