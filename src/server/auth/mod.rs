//! Who asks, and what they may.
//!
//! Every request passes [`admit`] before it reaches a protocol. A protocol then asks the [`Client`] that it finds among the
//! request's extensions whether it may do what it wants, in which namespace.

mod client;
mod role;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use std::sync::Arc;

pub(super) use self::client::Client;
pub use self::role::Role;
use super::options::ServerOptions;
use super::problem::Problem;
use super::site::Site;
use crate::Result;

/// What is asked of whoever does not say who they are.
const CHALLENGES: [&str; 2] = [r#"Basic realm="cortado", charset="UTF-8""#, r#"Bearer realm="cortado""#];

/// The rules of a site.
#[derive(Debug)]
pub(super) struct Auth {
    on: bool,
    read_only: bool,
}

impl Auth {
    pub(super) fn new(options: &ServerOptions) -> Result<Self> {
        Ok(Self { on: options.users.is_some(), read_only: options.read_only })
    }

    /// Whether clients have to say who they are.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    fn client(&self, _request: &Request) -> Result<Client, Problem> {
        if self.on { Err(challenge("say who you are")) } else { Ok(Client::anybody(self.read_only)) }
    }
}

/// Lets a request through with the [`Client`] that makes it, or answers 401.
pub(super) async fn admit(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    match site.auth.client(&request) {
        Ok(client) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn challenge(detail: &'static str) -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, detail);
    CHALLENGES
        .iter()
        .fold(problem, |problem, text| problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static(text)))
}
