//! Lists of artifacts: page by page for people, all at once as lines of JSON for programs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::NAMESPACE;
use crate::server::auth::{Client, Role};
use crate::server::body;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::{Listed, Provenance, Store};

/// Objects on a page, unless said, and at the most.
const PAGE: usize = 1000;
const LONGEST_PAGE: usize = 10_000;

/// Objects that are looked through at once.
const MOST_AT_ONCE: usize = 100_000;

/// Bytes of lines that are sent at once.
const BATCH: usize = 32 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    limit: Option<usize>,
    after: Option<String>,
    prefix: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Page {
    artifacts: Vec<Entry>,
    /// Where the next page begins; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An object of a list; `docs/stores.md` has the same.
#[derive(Serialize)]
struct Entry {
    name: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    pinned: bool,
    provenance: Provenance,
}

impl From<Listed> for Entry {
    fn from(listed: Listed) -> Self {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|time| time.as_secs());
        let (stored, used) = (listed.stored.and_then(seconds), listed.used.and_then(seconds));
        let Listed { name, size, pinned, provenance, .. } = listed;
        Self { name, size, stored, used, pinned, provenance }
    }
}

/// One page, in the store's own order.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let Query(asked) = asked.map_err(|error| Problem::bad_request(error.body_text()))?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` is from 1 to {LONGEST_PAGE}")));
    }
    site.shelf.work(move |store| read_page(store, &asked, limit)).await.map(Json)
}

/// Goes on from page to page of the store until enough is found of what is wanted.
fn read_page(store: &dyn Store, asked: &Asked, limit: usize) -> anyhow::Result<Page> {
    let is_wanted = |listed: &Listed| {
        is_ours(listed) && asked.prefix.as_ref().is_none_or(|prefix| listed.name.starts_with(prefix.as_str()))
    };
    let (mut artifacts, mut after, mut size) = (Vec::<Entry>::new(), asked.after.clone(), limit + 1);
    while artifacts.len() <= limit {
        let page = store.page(after.as_deref(), size)?;
        let is_last = page.len() < size;
        // Whoever wants few of many reads them in large pieces.
        size = (4 * size).min(MOST_AT_ONCE);
        after = page.last().map(|last| last.name.clone());
        artifacts.extend(page.into_iter().filter(is_wanted).map(Entry::from));
        if is_last {
            break;
        }
    }
    let has_more = artifacts.len() > limit;
    artifacts.truncate(limit);
    let next = artifacts.last().filter(|_| has_more).map(|last| last.name.clone());
    Ok(Page { artifacts, next })
}

/// All of them, a line for each, and a last line that says that nothing is missing.
pub(super) async fn all(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        // A list that breaks off has no last line, and whoever reads it can tell.
        _ = site.shelf.work(move |store| write_lines(store, &sender)).await;
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(body::Batches::new(receiver))).into_response())
}

fn write_lines(store: &dyn Store, sender: &mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    for listed in store.list()? {
        let listed = listed?;
        if is_ours(&listed) {
            serde_json::to_writer(&mut batch, &Entry::from(listed))?;
            batch.push(b'\n');
        }
        if batch.len() >= BATCH {
            sender.blocking_send(std::mem::take(&mut batch).into())?;
        }
    }
    batch.extend(b"{\"end\":true}\n");
    Ok(sender.blocking_send(batch.into())?)
}

/// Whether it is an object of this protocol.
fn is_ours(listed: &Listed) -> bool {
    Name::parse(&listed.name).is_ok()
}
