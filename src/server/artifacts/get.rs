//! GET and HEAD of an artifact: all of it, a part, or what is known of it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::granted;
use crate::server::answer::answer;
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::known::kind;
use crate::server::labels;
use crate::server::problem::Problem;
use crate::server::shelf::Found;
use crate::server::site::Site;

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = granted(&client, Role::Reader, &name)?;
    let found = site.shelf.find(&name).await?.ok_or_else(|| Problem::missing(&name))?;
    answer(&site, &name, found, &headers)
}

pub(super) async fn head(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(name): InPath<String>,
) -> Result<Response, Problem> {
    let name = granted(&client, Role::Reader, &name)?;
    let found = site.shelf.find(&name).await?.ok_or_else(Problem::not_found)?;
    let (mut answer, identity) = match &found {
        Found::Stream(_) => (kind(&name), None),
        Found::File(_, look, known) => {
            let mut answer = known.headers(&name);
            answer.insert(header::CONTENT_LENGTH, HeaderValue::from(look.size));
            (answer, known.identity)
        }
    };
    if let Some(listed) = site.shelf.describe(&name).await? {
        answer.extend(labels::headers(&listed.provenance, identity));
    }
    Ok((answer, Body::empty()).into_response())
}
