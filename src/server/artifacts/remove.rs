//! DELETE of an artifact.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::granted;
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::problem::Problem;
use crate::server::site::Site;

pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(name): InPath<String>,
) -> Result<StatusCode, Problem> {
    let name = granted(&client, Role::Admin, &name)?;
    if site.shelf.remove(&name).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
