//! The own protocol: artifacts by name, as `docs/server.md` describes it and our HTTP store speaks it.

mod exists;
mod get;
mod list;
mod put;
mod remove;

use std::sync::Arc;

use axum::routing::{get as reading, post};

use super::auth::{Client, Role};
use super::name::Name;
use super::problem::Problem;
use super::route::Route;
use super::site::Site;

/// The namespace of the own protocol, as rights name it.
pub(super) const NAMESPACE: &str = "artifacts";

/// The routes of the protocol.
pub(super) fn routes() -> Vec<Route<Arc<Site>>> {
    let object = reading(get::get).head(get::head).put(put::put).delete(remove::remove);
    vec![
        Route::new("/v1/artifacts", &["get"], reading(list::page)),
        Route::new("/v1/artifacts/", &["get"], reading(list::all)),
        Route::new("/v1/artifacts/exists", &["post"], post(exists::exists)),
        Route::new("/v1/artifacts/{name}", &["get", "head", "put", "delete"], object),
    ]
}

/// The name of an object, if the client may do that with it.
///
/// # Errors
/// 400 when it is none, 401 or 403 when they may not.
fn granted(client: &Client, role: Role, text: &str) -> Result<Name, Problem> {
    let name = Name::parse_any(text)?;
    match name.namespace() {
        None => client.may(role, NAMESPACE)?,
        // What its own protocol makes sure of, nobody does here: whoever writes is believed.
        Some(namespace) => client.may(if role == Role::Reader { role } else { Role::Admin }, namespace)?,
    }
    Ok(name)
}
