//! The scrape: `/metrics`, for whoever gathers metrics.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::auth::{Client, Role};
use super::metrics::MEDIA_TYPE;
use super::problem::Problem;
use super::site::{NAMESPACE, Site};

/// All metrics. How full the store is, is asked now.
pub(super) async fn scrape(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    if let Some(capacity) = site.shelf.work(|store| store.capacity()).await? {
        site.metrics.see(&capacity);
    }
    let text = site.metrics.text().map_err(|error| Problem::store_failed(&error.into()))?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}
