//! Which of many artifacts there are, asked at once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::NAMESPACE;
use crate::server::auth::{Client, Role};
use crate::server::intake::question;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::site::Site;

/// The most names in one question.
const MOST: usize = 10_000;

/// The longest question, in bytes.
const LONGEST: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    names: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Answer {
    present: Vec<String>,
    missing: Vec<String>,
}

pub(super) async fn exists(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    body: Body,
) -> Result<Json<Answer>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let question: Question = question(body, LONGEST, site.options.pace()).await?;
    if question.names.len() > MOST {
        return Err(Problem::bad_request(format!("`names` has more than {MOST} names")));
    }
    let names = question.names.iter().map(|name| Name::parse(name)).collect::<Result<Vec<_>, _>>()?;
    let there = site.shelf.having(names).await?;
    let there: std::collections::HashSet<_> = there.iter().map(Name::as_str).collect();
    let (present, missing) = question.names.into_iter().partition(|name| there.contains(name.as_str()));
    Ok(Json(Answer { present, missing }))
}
