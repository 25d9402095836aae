//! Lists of artifacts: page by page for people, all at once as lines of JSON for programs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::NAMESPACE;
use crate::server::auth::{Client, Role};
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::walk::Scribe;
use crate::{Listed, Provenance, Store};

/// Objects on a page, unless said, and at the most.
const PAGE: usize = 1000;
const LONGEST_PAGE: usize = 10_000;

/// Objects that are looked through at once.
const MOST_AT_ONCE: usize = 100_000;

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
    read_page(&site, asked, limit).await.map(Json)
}

/// Goes on from page to page of the store until enough is found of what is wanted.
async fn read_page(site: &Site, asked: Asked, limit: usize) -> Result<Page, Problem> {
    let prefix: Arc<str> = asked.prefix.unwrap_or_default().into();
    let (mut artifacts, mut after, mut size) = (Vec::<Entry>::new(), asked.after, limit + 1);
    while artifacts.len() <= limit {
        let prefix = prefix.clone();
        let look = move |store: &dyn Store| look(store, after.as_deref(), size, &prefix);
        let (found, last) = site.walks.look(look).await?;
        artifacts.extend(found);
        // Whoever wants few of many reads them in large pieces.
        (after, size) = (last, (4 * size).min(MOST_AT_ONCE));
        if after.is_none() {
            break;
        }
    }
    let has_more = artifacts.len() > limit;
    artifacts.truncate(limit);
    let next = artifacts.last().filter(|_| has_more).map(|last| last.name.clone());
    Ok(Page { artifacts, next })
}

/// What is wanted of a page of the store, and where the next one begins.
fn look(
    store: &dyn Store,
    after: Option<&str>,
    size: usize,
    prefix: &str,
) -> anyhow::Result<(Vec<Entry>, Option<String>)> {
    let page = store.page(after, size)?;
    let last = page.last().filter(|_| page.len() == size).map(|last| last.name.clone());
    let wanted = page.into_iter().filter(|listed| is_ours(listed) && listed.name.starts_with(prefix));
    Ok((wanted.map(Entry::from).collect(), last))
}

/// All of them, a line for each, and a last line that says that nothing is missing.
pub(super) async fn all(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], site.walks.list(Lines)).into_response())
}

/// The list as lines of JSON.
struct Lines;

impl Scribe for Lines {
    fn begin(&self) -> Vec<u8> {
        Vec::new()
    }

    fn add(&mut self, object: Listed, text: &mut Vec<u8>) -> anyhow::Result<()> {
        if is_ours(&object) {
            serde_json::to_writer(&mut *text, &Entry::from(object))?;
            text.push(b'\n');
        }
        Ok(())
    }

    fn end(&self) -> &'static [u8] {
        b"{\"end\":true}\n"
    }
}

/// Whether it is an object of this protocol.
fn is_ours(listed: &Listed) -> bool {
    Name::parse(&listed.name).is_ok()
}
