//! What clients tell of hits and misses, in their local cache and here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::NAMESPACE;
use crate::server::auth::{Client, Role};
use crate::server::intake::collect;
use crate::server::problem::Problem;
use crate::server::reports::Reports;
use crate::server::site::Site;

/// The longest list of events, in bytes. The client sends ten at a time.
const LARGEST: usize = 256 << 10;

#[derive(Deserialize)]
struct Told {
    source: Source,
    event: Event,
    /// How long the task took when it was run, in milliseconds.
    duration: Option<u64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
enum Source {
    Local,
    Remote,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Event {
    Hit,
    Miss,
}

pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let text = collect(body, LARGEST, site.options.pace()).await?;
    let told: Vec<Told> =
        serde_json::from_slice(&text).map_err(|error| Problem::bad_request(format!("the events are none: {error}")))?;
    told.iter().for_each(|told| told.count(&site.metrics.reports));
    Ok((StatusCode::OK, Json(json!({}))))
}

impl Told {
    fn count(&self, reports: &Reports) {
        let cache = match self.source {
            Source::Local => "local",
            Source::Remote => "remote",
        };
        match self.event {
            Event::Hit => reports.hit(NAMESPACE, cache, Duration::from_millis(self.duration.unwrap_or_default())),
            Event::Miss => reports.miss(NAMESPACE, cache),
        }
    }
}
