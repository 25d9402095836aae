//! The first page: how full the store is, how often it had what was asked for, and what is in it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::chart::{Chart, Range, Tallied};
use super::packages;
use super::row::{self, Row};
use super::visit::{Visit, asked};
use crate::server::curdling;
use crate::server::history::{Counts, now};
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::survey::{Lately, Made, Project, Summary};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    range: Range,
}

/// What the template needs.
#[derive(Serialize)]
struct Overview {
    visit: Visit,
    /// The rates of each range, with its words.
    rates: Vec<Rate>,
    range: Range,
    range_words: &'static str,
    chart: Chart,
    capacity: Option<Fill>,
    objects: u64,
    bytes: u64,
    projects: Vec<Row>,
    protocols: Vec<Row>,
    others: u64,
    /// Packages of Python.
    packages: Vec<packages::Row>,
    /// How long ago the tables were made, in seconds.
    age: u64,
}

#[derive(Serialize)]
struct Rate {
    range: Range,
    name: &'static str,
    words: &'static str,
    tally: Tallied,
}

/// How full the store is.
#[derive(Serialize)]
struct Fill {
    size: u64,
    taken: u64,
    part: f64,
}

/// `/`.
pub(super) async fn overview(
    State(site): State<Arc<Site>>,
    visit: Visit,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let range = asked(query)?.range;
    let summary = Lately::<Summary>::seen(&site).await?;
    let look = look(&site, &summary.seen).await?;
    site.pages.render("overview.html", Overview::new(visit, range, &summary, look))
}

/// What is looked at for each view.
struct Look {
    counts: Counts,
    capacity: Option<Fill>,
    packages: Vec<packages::Row>,
}

async fn look(site: &Arc<Site>, summary: &Summary) -> Result<Look, Problem> {
    let same = site.clone();
    let looked = site.shelf.work(move |store| Ok((same.history.all(), store.capacity()?)));
    let (counts, capacity) = looked.await?;
    let capacity = capacity.map(|capacity| Fill {
        size: capacity.size,
        taken: capacity.taken,
        part: (capacity.taken as f64 / capacity.size.max(1) as f64).min(1.0),
    });
    let has_packages = summary.protocols.contains_key(curdling::NAMESPACE);
    let packages = if has_packages { packages::rows(site).await? } else { Vec::new() };
    Ok(Look { counts, capacity, packages })
}

impl Overview {
    fn new(visit: Visit, range: Range, summary: &Made<Summary>, look: Look) -> Self {
        let (now, age, summary) = (now(), summary.age().as_secs(), &summary.seen);
        let Look { counts, capacity, packages } = look;
        let rate = |range: Range| Rate {
            range,
            name: range.name(),
            words: range.words(),
            tally: range.total(&counts, now).into(),
        };
        Self {
            visit,
            rates: Range::ALL.map(rate).into(),
            range,
            range_words: range.words(),
            chart: Chart::new(range, &counts, now),
            capacity,
            packages,
            objects: summary.all.objects,
            bytes: summary.all.bytes,
            projects: projects(summary, &counts, now),
            protocols: protocols(summary, &counts, now),
            others: summary.others.objects,
            age,
        }
    }
}

fn projects(summary: &Summary, counts: &Counts, now: u64) -> Vec<Row> {
    let asked = |project: &Project| row::asked(project.tasks.values(), counts, now);
    row::rows(summary.projects.iter().map(|(name, project)| (name.as_deref(), &project.all, asked(project))))
}

fn protocols(summary: &Summary, counts: &Counts, now: u64) -> Vec<Row> {
    let asked = |name: &str| counts.of(&format!("{name}~"), now);
    row::rows(summary.protocols.iter().map(|(name, group)| (Some(name.as_str()), group, asked(name))))
}
