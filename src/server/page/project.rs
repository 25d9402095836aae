//! The page of a project: its tasks.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::row::{self, Row};
use super::visit::{Visit, asked};
use crate::server::history::{Counts, now};
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::survey::{Lately, Project, Summary, Task};

/// Tasks that are shown. The others are found by a search.
const TASKS: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Its name; nothing for what says nothing of a project.
    name: String,
}

/// What the template needs.
#[derive(Serialize)]
struct Shown {
    visit: Visit,
    project: Row,
    tasks: Vec<Row>,
    /// Tasks that are not shown.
    hidden: usize,
    age: u64,
}

/// `/page/project`.
pub(super) async fn project(
    State(site): State<Arc<Site>>,
    visit: Visit,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let name = Some(asked(query)?.name).filter(|name| !name.is_empty());
    let summary = Lately::<Summary>::seen(&site).await?;
    let project = summary.seen.projects.get(&name).ok_or_else(Problem::not_found)?;
    let same = site.clone();
    let counts = site.shelf.work(move |_| Ok(same.history.all())).await?;
    let mut tasks = tasks(project, &counts);
    let hidden = tasks.len().saturating_sub(TASKS);
    tasks.truncate(TASKS);
    let sum = row::asked(project.tasks.values(), &counts, now());
    let project = Row::new(name.as_deref(), &project.all, sum);
    site.pages.render("project.html", Shown { visit, project, tasks, hidden, age: summary.age().as_secs() })
}

fn tasks(project: &Project, counts: &Counts) -> Vec<Row> {
    let asked = |task: &Task| row::asked([task], counts, now());
    row::rows(project.tasks.iter().map(|(name, task)| (name.as_deref(), &task.all, asked(task))))
}
