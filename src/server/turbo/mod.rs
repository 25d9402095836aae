//! Turborepo's remote cache, version 8: artifacts of tasks by team and hash.
//!
//! The protocol is Vercel's ("REST API, artifacts"); what the client makes of it is in `turborepo-api-client` and
//! `turborepo-cache` of Turborepo's sources. An artifact is a `.tar.zst`, and nobody but Turborepo looks into it.

mod artifact;
mod events;
mod preface;
mod query;
mod split;
mod team;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{get, post};
use axum::{Extension, Json};
use serde_json::{Value, json};

use self::team::Team;
use super::auth::{Client, Role};
use super::keyed::Key;
use super::problem::Problem;
use super::route::Route;
use super::site::Site;
use super::task_hash;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "turbo";

/// How long the task took to run, in milliseconds.
const DURATION: HeaderName = HeaderName::from_static("x-artifact-duration");

/// The signature of the artifact.
const TAG: HeaderName = HeaderName::from_static("x-artifact-tag");

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let artifact = get(artifact::get).put(artifact::put).options(preflight);
    let routes = [
        Route::new("/v8/artifacts/status", &["get", "options"], get(status).options(preflight)),
        Route::new("/v8/artifacts/events", &["post", "options"], post(events::events).options(preflight)),
        Route::new("/v8/artifacts", &["post", "options"], post(query::query).options(preflight)),
        Route::new("/v8/artifacts/{key}", &["get", "head", "put", "options"], artifact),
    ];
    routes.into_iter().map(|route| route.refusing(refusal)).collect()
}

/// Whether there is a cache at all.
async fn status(Extension(client): Extension<Client>) -> Result<Json<Value>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    Ok(Json(json!({ "status": "enabled" })))
}

/// What the client asks with `--preflight`: where to send a request (here), and whether it may carry its token there.
async fn preflight(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 2]), Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let methods = if site.options.read_only { "GET, HEAD, POST" } else { "GET, HEAD, POST, PUT" };
    let headers = "Authorization, Content-Type, User-Agent, x-artifact-duration, x-artifact-tag, \
                   x-artifact-client-ci, x-artifact-client-interactive";
    let allowed = [(header::ACCESS_CONTROL_ALLOW_METHODS, methods), (header::ACCESS_CONTROL_ALLOW_HEADERS, headers)];
    Ok((StatusCode::NO_CONTENT, allowed))
}

fn key_of(team: &Team, hash: &str) -> Result<Key, Problem> {
    task_hash::check(hash)?;
    Ok(Key::new(NAMESPACE, &format!("{}/{hash}", team.name())))
}

/// An error as the client reads it. The code of 403, `forbidden`, tells it that it may not write; it goes on reading. To three
/// answers above 499 it would read nothing either for half a minute, so a full store is none of them.
fn refusal(problem: &Problem) -> (StatusCode, &'static str, String) {
    let status = match problem.status() {
        StatusCode::INSUFFICIENT_STORAGE => StatusCode::PAYLOAD_TOO_LARGE,
        status => status,
    };
    let code = status.canonical_reason().unwrap_or("error").to_lowercase().replace(' ', "_");
    let text = json!({ "error": { "code": code, "message": problem.detail() } });
    (status, "application/json", text.to_string())
}
