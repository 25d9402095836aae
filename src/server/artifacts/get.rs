//! GET and HEAD of an artifact: all of it, a part, or what is known of it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{NAMESPACE, NameInPath, name_of};
use crate::server::auth::{Client, Role};
use crate::server::digests::{CONTENT_DIGEST, REPR_DIGEST, field};
use crate::server::known::{Known, Look};
use crate::server::labels;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::range::{Asked, asked};
use crate::server::shelf::Found;
use crate::server::site::Site;

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    path: NameInPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let name = name_of(path)?;
    match site.shelf.find(&name).await?.ok_or_else(Problem::not_found)? {
        Found::Stream(object) => Ok((kind(&name), site.shelf.stream(object)).into_response()),
        Found::File(file, look, known) => {
            let mut answer = described(&name, &known);
            if is_known_already(&headers, &known) {
                return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
            }
            match part(&headers, look, &known) {
                Asked::All => {
                    answer.extend(field(&known.content).map(|value| (CONTENT_DIGEST, value)));
                    Ok((answer, site.shelf.body(file, 0..look.size)).into_response())
                }
                Asked::Part(part) => {
                    let range = format!("bytes {}-{}/{}", part.start, part.end - 1, look.size);
                    answer.extend(HeaderValue::from_str(&range).map(|value| (header::CONTENT_RANGE, value)));
                    Ok((StatusCode::PARTIAL_CONTENT, answer, site.shelf.body(file, part)).into_response())
                }
                Asked::Beyond => Err(beyond(look)),
            }
        }
    }
}

pub(super) async fn head(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    path: NameInPath,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let name = name_of(path)?;
    let found = site.shelf.find(&name).await?.ok_or_else(Problem::not_found)?;
    let (mut answer, identity) = match &found {
        Found::Stream(_) => (kind(&name), None),
        Found::File(_, look, known) => {
            let mut answer = described(&name, known);
            answer.insert(header::CONTENT_LENGTH, HeaderValue::from(look.size));
            (answer, known.identity)
        }
    };
    if let Some(listed) = site.shelf.describe(&name).await? {
        answer.extend(labels::headers(&listed.provenance, identity));
    }
    Ok((answer, Body::empty()).into_response())
}

/// What is said of an object whatever part of it is sent.
fn described(name: &Name, known: &Known) -> HeaderMap {
    let mut headers = kind(name);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.extend(HeaderValue::from_str(&tag(known)).map(|value| (header::ETAG, value)));
    headers.extend(field(&known.content).map(|value| (REPR_DIGEST, value)));
    labels::add_identity(&mut headers, known.identity);
    headers
}

fn kind(name: &Name) -> HeaderMap {
    let kind = if name.is_artifact() { "application/gzip" } else { "application/octet-stream" };
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        // A browser must not take an artifact for a page of this server.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ])
}

fn tag(known: &Known) -> String {
    format!("\"{}\"", known.content)
}

/// Whether the client has this very content (`If-None-Match`).
fn is_known_already(headers: &HeaderMap, known: &Known) -> bool {
    let tag = tag(known);
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

/// The part that is asked for. One that was meant of another content (`If-Range`) is not.
fn part(headers: &HeaderMap, look: Look, known: &Known) -> Asked {
    let is_meant = headers.get(header::IF_RANGE).is_none_or(|condition| condition.as_bytes() == tag(known).as_bytes());
    match headers.get(header::RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) if is_meant => asked(range, look.size),
        _ => Asked::All,
    }
}

fn beyond(look: Look) -> Problem {
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("the object has {} bytes", look.size));
    match HeaderValue::from_str(&format!("bytes */{}", look.size)) {
        Ok(value) => problem.with(header::CONTENT_RANGE, value),
        Err(_) => problem,
    }
}
