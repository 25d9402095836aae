//! GET, HEAD and PUT of an artifact. The last one that was put counts: two runs of a task need not be alike byte for byte.

use std::io::Read;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::preface::{LONGEST, Preface};
use super::team::Team;
use super::{NAMESPACE, key_of};
use crate::server::answer::answer_after;
use crate::server::auth::{Client, Role};
use crate::server::body::beginning;
use crate::server::in_path::InPath;
use crate::server::keyed::{Deposit, Existing};
use crate::server::problem::Problem;
use crate::server::shelf::Found;
use crate::server::site::Site;
use crate::server::upload::Upload;
use crate::{Object, Provenance};

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(hash): InPath<String>,
    team: Team,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key_of(&team, &hash)?;
    let found = key.look(&site, &client).await?.ok_or_else(Problem::not_found)?;
    let Some((preface, length, found)) = split(&site, found).await? else {
        site.shelf.condemn(key.name(), "it does not begin with a preface".into()).await?;
        return Err(Problem::not_found());
    };
    let mut response = answer_after(length, &site, key.name(), found, &headers)?;
    response.headers_mut().extend(preface.headers());
    Ok(response)
}

/// The preface of an object with its length, and the object; a stream then stands behind it.
async fn split(site: &Site, found: Found) -> Result<Option<(Preface, u64, Found)>, Problem> {
    match found {
        Found::File(file, look, known) => {
            let bytes = beginning(&file, LONGEST).await.map_err(|error| Problem::store_failed(&error.into()))?;
            Ok(Preface::parse(&bytes).map(|(preface, length)| (preface, length, Found::File(file, look, known))))
        }
        Found::Stream(object) => {
            let split = site.shelf.work(|_| Ok(split_stream(object.into_reader())?)).await?;
            Ok(split.map(|(preface, length, rest)| (preface, length, Found::Stream(Object::Stream(rest)))))
        }
    }
}

type Stream = Box<dyn Read + Send>;

/// The preface of a stream with its length, and what follows.
pub(super) fn split_stream(mut stream: Stream) -> std::io::Result<Option<(Preface, u64, Stream)>> {
    let mut bytes = Vec::new();
    (&mut stream).take(LONGEST).read_to_end(&mut bytes)?;
    let Some((preface, length)) = Preface::parse(&bytes) else { return Ok(None) };
    let rest = std::io::Cursor::new(bytes.split_off(length as usize)).chain(stream);
    Ok(Some((preface, length, Box::new(rest))))
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
    let deposit = Deposit { existing: Existing::Goes, provenance, preface: preface.line(), ..Deposit::default() };
    key.put(&site, &client, upload, deposit).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "urls": [format!("/v8/artifacts/{hash}")] }))))
}
