//! The page at `/`: what is stored, by whom it is used, and how clients are set up, for people.
//!
//! It is rendered here, from the templates in `templates/`, and needs no script. Labels come from strangers, so everything is
//! escaped, and the browser is told to load nothing but what this server says.

mod chart;
mod connect;
mod objects;
mod overview;
mod packages;
mod pages;
mod project;
mod row;
mod visit;
mod words;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::routing::get;

pub(super) use self::pages::Pages;
use self::visit::Visit;
use super::route::Route;
use super::site::Site;

/// The routes of the page.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let style = |_: Visit, request: HeaderMap| async move {
        pages::file("text/css", include_str!("templates/style.css"), &request)
    };
    let icon = |_: Visit, request: HeaderMap| async move {
        pages::file("image/svg+xml", include_str!("templates/icon.svg"), &request)
    };
    vec![
        Route::new("/", &["get"], get(overview::overview)),
        Route::new("/page/project", &["get"], get(project::project)),
        Route::new("/page/objects", &["get"], get(objects::objects)),
        Route::new("/page/packages", &["get"], get(packages::packages)),
        Route::new("/page/connect", &["get"], get(connect::connect)),
        Route::new("/page/style.css", &["get"], get(style)),
        Route::new("/page/icon.svg", &["get"], get(icon)),
    ]
}
