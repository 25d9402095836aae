//! curdling's protocol: packages of Python, by the names of their files.
//!
//! `GET` and `PUT` of `/p/<file>`, `/api` and `/api/<package>`, `/s/<query>`, as curdling 0.4 speaks them
//! (`curdling/web/__init__.py` and `curdling/services`). Its page of packages is part of ours.

mod api;
mod catalog;
mod files;
mod form;
mod package;
mod query;
mod version;

use std::collections::HashSet;
use std::sync::Arc;

use axum::routing::get;

pub(super) use self::catalog::Catalog;
pub(super) use self::package::Package;
use super::keyed::Key;
use super::name::Name;
use super::problem::Problem;
use super::route::Route;
use super::site::Site;

/// The namespace of the protocol, as rights name it.
pub(super) const NAMESPACE: &str = "curdling";

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    vec![
        Route::new("/api", &["get"], get(api::names)),
        Route::new("/api/", &["get"], get(api::names)),
        Route::new("/api/{package}", &["get"], get(api::package)),
        Route::new("/p/{file}", &["get", "head", "put"], get(files::get).put(files::put)),
        Route::new("/s/{query}", &["get", "head"], get(files::search)),
    ]
}

fn key(package: &Package) -> Key {
    Key::new(NAMESPACE, &package.file)
}

/// Those files that are there still.
async fn present(site: &Site, mut files: Vec<Package>) -> Result<Vec<Package>, Problem> {
    let name = |package: &Package| Name::within(NAMESPACE, &package.file);
    let there: HashSet<_> = site.shelf.having(files.iter().map(name).collect()).await?.into_iter().collect();
    files.retain(|package| there.contains(&name(package)));
    Ok(files)
}
