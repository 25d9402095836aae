//! A visit: somebody who may look at a page, and what every page says of them and of the server.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::address::address;
use crate::server::auth::{Client, Role};
use crate::server::connection::Peer;
use crate::server::problem::Problem;
use crate::server::site::{NAMESPACE, Site};

/// What the head of each page needs.
#[derive(Debug, Serialize)]
pub(super) struct Visit {
    /// The address of the server, as the visitor has reached it.
    pub(super) address: String,
    /// Who it is, where that is known.
    user: Option<String>,
    /// Whether clients have to say who they are.
    asks_users: bool,
    /// Whether nobody may write.
    read_only: bool,
}

impl FromRequestParts<Arc<Site>> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        // Every request passes `admit`, which says who it is.
        let client = parts.extensions.get::<Client>().ok_or_else(|| Problem::forbidden("nobody knows who you are"))?;
        client.may(Role::Reader, NAMESPACE)?;
        let peer = parts.extensions.get().copied().unwrap_or(Peer::Local);
        Ok(Self {
            address: address(site, peer, &parts.uri, &parts.headers),
            user: client.name().map(str::to_owned),
            asks_users: site.auth.is_on(),
            read_only: site.options.read_only,
        })
    }
}

/// What a query says.
///
/// # Errors
/// 400, with what is wrong with it.
pub(super) fn asked<T: DeserializeOwned>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(asked)| asked).map_err(|error| Problem::bad_request(error.body_text()))
}
