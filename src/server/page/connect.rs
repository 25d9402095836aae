//! How clients are set up, with the address of this very server.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::visit::Visit;
use crate::server::problem::Problem;
use crate::server::site::Site;

/// What the template needs.
#[derive(Serialize)]
struct Shown {
    visit: Visit,
    /// The address without its scheme.
    host: String,
    scheme: String,
    /// The host without its port.
    machine: String,
}

/// `/page/connect`.
pub(super) async fn connect(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, Problem> {
    let (scheme, host) = visit.address.split_once("://").unwrap_or(("http", &visit.address));
    let machine = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(machine, _)| machine);
    let (scheme, host, machine) = (scheme.to_owned(), host.to_owned(), machine.to_owned());
    site.pages.render("connect.html", Shown { visit, host, scheme, machine })
}
