//! What packages there are, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::catalog::{self, Catalog};
use super::package::{Package, normal};
use super::{NAMESPACE, key};
use crate::Digest;
use crate::server::address::address;
use crate::server::auth::{Client, Role};
use crate::server::connection::Peer;
use crate::server::in_path::InPath;
use crate::server::problem::Problem;
use crate::server::site::Site;

/// A version of a package.
#[derive(Serialize)]
struct Release {
    name: String,
    version: String,
    urls: Vec<Address>,
}

/// A file of it. The first one is that which clients take.
#[derive(Serialize)]
struct Address {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// `/api`: the names of all packages.
pub(super) async fn names(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<Json<Vec<String>>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    Ok(Json(Catalog::all(&site).await?.into_keys().collect()))
}

/// `/api/<package>`: its versions with their files.
pub(super) async fn package(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    Extension(peer): Extension<Peer>,
    InPath(name): InPath<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let files = match normal(&name) {
        Some(name) => Catalog::files(&site, &name).await?,
        None => Vec::new(),
    };
    let mut files = super::present(&site, files).await?;
    catalog::sort(&mut files);
    let base = address(&site, peer, &uri, &headers);
    let releases = releases(&site, &base, &files).await?;
    if releases.is_empty() {
        return Ok((StatusCode::NOT_FOUND, Json(json!({"status": "error"}))).into_response());
    }
    Ok(Json(releases).into_response())
}

async fn releases(site: &Site, base: &str, files: &[Package]) -> Result<Vec<Release>, Problem> {
    let mut releases = Vec::new();
    for files in files.chunk_by(|one, other| one.version == other.version) {
        let mut urls = Vec::new();
        for file in files {
            let sha256 = key(file).digest(site).await?.as_ref().map(Digest::to_string);
            urls.push(Address { url: format!("{base}/p/{}", file.file), sha256 });
        }
        let Some(first) = files.first() else { continue };
        releases.push(Release { name: first.name.clone(), version: first.version.to_string(), urls });
    }
    Ok(releases)
}
