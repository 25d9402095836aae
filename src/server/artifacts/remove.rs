//! DELETE of an artifact.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::{NAMESPACE, NameInPath, name_of};
use crate::server::auth::{Client, Role};
use crate::server::problem::Problem;
use crate::server::site::Site;

pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    path: NameInPath,
) -> Result<StatusCode, Problem> {
    client.may(Role::Admin, NAMESPACE)?;
    let name = name_of(path)?;
    if site.shelf.remove(&name).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
