//! The packages of Python that there are, with links to their files: curdling's page, which pip can read, too.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::visit::Visit;
use crate::server::curdling::{Catalog, Package};
use crate::server::problem::Problem;
use crate::server::site::Site;

/// What the template needs.
#[derive(Serialize)]
struct Shown {
    visit: Visit,
    packages: Vec<Row>,
}

/// A package with its files, the newest first.
#[derive(Serialize)]
pub(super) struct Row {
    name: String,
    versions: usize,
    files: Vec<Link>,
}

#[derive(Serialize)]
struct Link {
    file: String,
    version: String,
}

/// `/page/packages`.
pub(super) async fn packages(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, Problem> {
    let packages = rows(&site).await?;
    site.pages.render("packages.html", Shown { visit, packages })
}

/// All packages by name.
pub(super) async fn rows(site: &Arc<Site>) -> Result<Vec<Row>, Problem> {
    Ok(Catalog::all(site).await?.into_iter().map(|(name, files)| Row::new(name, files)).collect())
}

impl Row {
    fn new(name: String, files: Vec<Package>) -> Self {
        let versions = files.chunk_by(|one, other| one.version == other.version).count();
        let link = |package: Package| Link { version: package.version.to_string(), file: package.file };
        Self { name, versions, files: files.into_iter().map(link).collect() }
    }
}
