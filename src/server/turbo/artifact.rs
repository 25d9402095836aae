//! GET, HEAD and PUT of an artifact. The last one that was put counts: two runs of a task need not be alike byte for byte.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::preface::Preface;
use super::split::split;
use super::team::Team;
use super::{NAMESPACE, key_of};
use crate::Provenance;
use crate::server::answer::answer_after;
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::keyed::{Deposit, Existing};
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::upload::Upload;

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(hash): InPath<String>,
    team: Team,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key_of(&team, &hash)?;
    let found = key.look(&site, &client).await?.ok_or_else(|| key.missing())?;
    let Some((preface, length, found)) = split(&site, found).await? else {
        site.shelf.condemn(key.name(), "it does not begin with a preface".into()).await?;
        return Err(key.missing());
    };
    let mut response = answer_after(length, &site, key.name(), found, &headers)?;
    response.headers_mut().extend(preface.headers());
    Ok(response)
}

pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(hash): InPath<String>,
    team: Team,
    upload: Upload,
) -> Result<(StatusCode, Json<Value>), Problem> {
    client.may(Role::Writer, NAMESPACE)?;
    let key = key_of(&team, &hash)?;
    let preface = Preface::of(&upload.headers)?;
    let provenance = Provenance {
        project: Some(team.name().to_owned()).filter(|name| !name.is_empty()),
        build_time: preface.build_time(),
        ..Provenance::new()
    };
    let deposit = Deposit { existing: Existing::Goes, provenance, preface: preface.line() };
    key.put(&site, &client, upload, deposit).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "urls": [format!("/v8/artifacts/{hash}")] }))))
}
