//! A list of objects: of a task, of a protocol, or what a search has found.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::visit::{Visit, asked};
use super::words::seconds;
use crate::Listed;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::survey::{Label, REACH, Search, Survey};

/// Objects on a page.
const PAGE: usize = 100;

/// Words of a search.
const WORDS: usize = 8;

/// What is looked for. A label that is empty is none: what says nothing of a project, say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    project: Option<String>,
    task: Option<String>,
    protocol: Option<String>,
    page: Option<usize>,
}

/// What the template needs.
#[derive(Serialize)]
struct Shown {
    visit: Visit,
    asked: Asked,
    objects: Vec<Object>,
    found: u64,
    bytes: u64,
    page: usize,
    has_next: bool,
    /// Objects that can be looked at page by page.
    reach: usize,
}

/// An object, with what is known of it.
#[derive(Serialize)]
struct Object {
    name: String,
    /// Where it can be had.
    path: Option<String>,
    size: u64,
    stored: Option<u64>,
    used: Option<u64>,
    pinned: bool,
    project: Option<String>,
    task: Option<String>,
    writer: Option<String>,
    host: Option<String>,
    commit: Option<String>,
    /// How long it took to build, in seconds.
    build_time: Option<f64>,
}

/// `/page/objects`.
pub(super) async fn objects(
    State(site): State<Arc<Site>>,
    visit: Visit,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let asked = asked(query)?;
    let page = asked.page.unwrap_or(1).clamp(1, REACH / PAGE);
    let skip = (page - 1) * PAGE;
    let results = Survey::search(&site, asked.search(), skip, PAGE).await?;
    let has_next = results.found > (skip + PAGE) as u64 && page < REACH / PAGE;
    let objects = results.objects.into_iter().map(Object::from).collect();
    let (found, bytes) = (results.found, results.bytes);
    site.pages.render("objects.html", Shown { visit, asked, objects, found, bytes, page, has_next, reach: REACH })
}

impl Asked {
    fn search(&self) -> Search {
        let label =
            |text: &Option<String>| -> Option<Label> { Some(Some(text.clone()?).filter(|text| !text.is_empty())) };
        Search {
            words: self.q.split_whitespace().take(WORDS).map(str::to_lowercase).collect(),
            project: label(&self.project),
            task: label(&self.task),
            protocol: self.protocol.clone(),
        }
    }
}

impl From<Listed> for Object {
    fn from(listed: Listed) -> Self {
        let (stored, used) = (seconds(listed.stored), seconds(listed.used));
        let Listed { name, size, pinned, provenance, .. } = listed;
        Self {
            // Other protocols have addresses of their own, which their names do not tell.
            path: Name::parse(&name).is_ok().then(|| format!("/v1/artifacts/{name}")),
            name,
            size,
            stored,
            used,
            pinned,
            project: provenance.project,
            task: provenance.task,
            writer: provenance.writer,
            host: provenance.host,
            commit: provenance.commit,
            build_time: provenance.build_time.map(|time| time.as_secs_f64()),
        }
    }
}
