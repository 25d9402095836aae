//! Bazel's HTTP cache: the results of actions below `/ac`, contents by their SHA-256 below `/cas`.
//!
//! The protocol is that of "Remote Caching" in Bazel's manual and of `HttpCacheClient` in its sources; instances and `/status`
//! are those of `bazel-remote`. A result that can be read is only given with all that it names; others (ccache, moon) keep
//! something else there, which nobody looks into.

mod complete;
mod fields;
mod named;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get as reading;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use self::complete::{Message, is_complete};
use crate::Digest;
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::keyed::{Deposit, Existing, Key};
use crate::server::known::Known;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::route::Route;
use crate::server::shelf::Kept;
use crate::server::site::Site;
use crate::server::upload::Upload;

/// The namespace of the protocol, as rights name it.
const NAMESPACE: &str = "bazel";

/// The longest name of an instance, in bytes.
const LONGEST_INSTANCE: usize = 64;

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let methods = &["get", "head", "put"];
    let (results, contents) = (|| reading(get_result).put(put_result), || reading(get_content).put(put_content));
    vec![
        Route::new("/ac/{key}", methods, results()),
        Route::new("/{instance}/ac/{key}", methods, results()),
        Route::new("/cas/{key}", methods, contents()),
        Route::new("/{instance}/cas/{key}", methods, contents()),
        Route::new("/status", &["get"], reading(status)),
    ]
}

async fn get_result(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = path.result()?;
    let found = key.look(&site, &client).await?.ok_or_else(|| key.missing())?;
    if !is_complete(&site, &client, Message::of(&found)).await? {
        return Err(key.missing());
    }
    key.give(&site, found, &headers)
}

async fn put_result(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    let key = path.result()?;
    let upload = measured(upload)?;
    // A result names contents. When those have gone, the action runs again, and only its new result is of use.
    let deposit = Deposit { existing: Existing::Goes, ..Deposit::default() };
    key.put(&site, &client, upload, deposit).await?;
    Ok(StatusCode::CREATED)
}

async fn get_content(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (key, digest) = path.content()?;
    if digest == Digest::of("") {
        client.may(Role::Reader, NAMESPACE)?;
        return Ok(nothing(digest));
    }
    key.get(&site, &client, &headers).await
}

async fn put_content(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(path): InPath<Path>,
    upload: Upload,
) -> Result<StatusCode, Problem> {
    let (key, _) = path.content()?;
    match key.put(&site, &client, measured(upload)?, Deposit::default()).await? {
        Kept::New(_) => Ok(StatusCode::CREATED),
        _ => Ok(StatusCode::OK),
    }
}

fn content_key(digest: Digest) -> Key {
    Key::new(NAMESPACE, &format!("cas/{digest}")).naming(digest)
}

/// The SHA-256 that an object has, if its name is that of a content.
pub(super) fn promised_by(name: &Name) -> Option<Digest> {
    Name::key_within(name.as_str(), NAMESPACE)?.strip_prefix("cas/")?.parse().ok()
}

/// The content without bytes, which always exists.
fn nothing(digest: Digest) -> Response {
    let name = Name::within(NAMESPACE, &digest.to_string());
    Known { content: digest, identity: None }.headers(&name).into_response()
}

/// The protocol knows no bodies in chunks.
fn measured(upload: Upload) -> Result<Upload, Problem> {
    if upload.has_length() {
        return Ok(upload);
    }
    Err(Problem::new(StatusCode::LENGTH_REQUIRED, "say how long the body is by `Content-Length`"))
}

/// The variable parts of an address.
#[derive(Debug, Deserialize)]
struct Path {
    instance: Option<String>,
    key: String,
}

impl Path {
    /// The result of an action. Every instance has its own.
    fn result(&self) -> Result<Key, Problem> {
        let (digest, instance) = (self.digest()?, self.instance()?);
        let prefix = instance.map(|instance| format!("{instance}/")).unwrap_or_default();
        Ok(Key::new(NAMESPACE, &format!("{prefix}ac/{digest}")))
    }

    /// A content, which is the same in every instance.
    fn content(&self) -> Result<(Key, Digest), Problem> {
        let digest = self.digest()?;
        self.instance()?;
        Ok((content_key(digest), digest))
    }

    fn digest(&self) -> Result<Digest, Problem> {
        let is_lower = !self.key.bytes().any(|byte| byte.is_ascii_uppercase());
        let digest = self.key.parse().ok().filter(|_| is_lower);
        digest.ok_or_else(|| Problem::bad_request("a key is a SHA-256: 64 digits `0` to `9`, `a` to `f`"))
    }

    fn instance(&self) -> Result<Option<&str>, Problem> {
        let Some(instance) = self.instance.as_deref() else { return Ok(None) };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let starts_well = instance.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts_well && instance.len() <= LONGEST_INSTANCE && instance.bytes().all(is_plain) {
            return Ok(Some(instance));
        }
        let rule = "letters, digits, `.`, `_`, `-`, beginning with a letter or digit";
        Err(Problem::bad_request(format!("an instance has up to {LONGEST_INSTANCE} {rule}")))
    }
}

/// What `bazel-remote` says of itself, as far as a store of any kind knows it. Clients look whether there is an answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    /// Seconds since 1970.
    server_time: u64,
    git_tags: &'static str,
}

async fn status(State(_): State<Arc<Site>>, Extension(client): Extension<Client>) -> Result<Json<Status>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Json(Status { server_time: now.as_secs(), git_tags: concat!("cortado ", env!("CARGO_PKG_VERSION")) }))
}
