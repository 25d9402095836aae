//! Who asks, and what they may.
//!
//! Every request passes [`admit`] before it reaches a protocol. A protocol then asks the [`Client`] that it finds among the
//! request's extensions whether it may do what it wants, in which namespace.

mod apr1;
mod attempts;
mod client;
mod credentials;
mod password;
mod register;
mod role;
mod users;

/// What the parsers of this room are tried by.
#[cfg(any(test, fuzzing))]
pub(super) mod trial {
    pub(in crate::server) use super::credentials::Credentials;
    pub(in crate::server) use super::users::Users;
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use self::attempts::Turns;
pub(super) use self::client::Client;
use self::credentials::Credentials;
use self::register::Register;
pub use self::role::Role;
use self::users::User;
use super::connection::Peer;
use super::event::Observer;
use super::options::ServerOptions;
use super::problem::Problem;
use super::site::Site;
use crate::Result;

/// What is asked of whoever does not say who they are.
const CHALLENGES: [&str; 2] = [r#"Basic realm="cortado", charset="UTF-8""#, r#"Bearer realm="cortado""#];

/// How often an address may fail to log in within a minute.
const FAILURES: u32 = 20;

/// Passwords that are verified at once: each takes a processor, on purpose.
const LOGINS: usize = 2;

/// Who has a share of the server's time: a user, or an address without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Share {
    User(Arc<str>),
    Peer(Peer),
}

/// The rules of a site.
#[derive(Debug)]
pub(super) struct Auth {
    register: Option<Arc<Register>>,
    read_only: bool,
    anonymous_read: bool,
    failures: Turns<Peer>,
    logins: Semaphore,
    rate: Option<Turns<Share>>,
}

impl Auth {
    pub(super) fn new(options: &ServerOptions, observer: &Observer) -> Result<Self> {
        let register = options.users.as_deref().map(|path| Register::open(path, observer.clone())).transpose()?;
        Ok(Self {
            register: register.map(Arc::new),
            read_only: options.read_only,
            anonymous_read: options.anonymous_read,
            failures: Turns::new(FAILURES, Duration::from_secs(60)),
            logins: Semaphore::new(LOGINS),
            rate: options.max_rate.map(|rate| Turns::new(rate.max(1), Duration::from_secs(1))),
        })
    }

    /// Whether clients have to say who they are.
    pub(super) fn is_on(&self) -> bool {
        self.register.is_some()
    }

    async fn client(&self, peer: Peer, credentials: Credentials) -> Result<Client, Problem> {
        let Some(register) = &self.register else { return Ok(Client::anybody(self.read_only)) };
        let user = match credentials {
            Credentials::None if self.anonymous_read => return Ok(Client::reader()),
            Credentials::None => return Err(challenge("say who you are")),
            Credentials::Malformed => None,
            Credentials::Bearer(token) => self.unless_blocked(peer, || register.users().by_token(&token))?,
            Credentials::Basic(name, password) => Some(self.log_in(register, peer, name, password).await?),
        };
        match user {
            Some(user) => Ok(Client::user(&user, self.read_only)),
            None => {
                self.failures.take(&peer, Instant::now());
                Err(unknown())
            }
        }
    }

    async fn log_in(&self, register: &Register, peer: Peer, name: String, password: String) -> Result<User, Problem> {
        let users = register.users();
        if let Some(user) = users.remembered(&name, &password) {
            return Ok(user);
        }
        // The semaphore is never closed.
        let turn = self.logins.acquire().await;
        // Others may have logged in, or failed, while this one waited.
        if let Some(user) = users.remembered(&name, &password) {
            return Ok(user);
        }
        self.unless_blocked(peer, || ())?;
        let user = spawn_blocking(move || users.by_password(&name, &password)).await.ok().flatten();
        if user.is_none() {
            self.failures.take(&peer, Instant::now());
        }
        drop(turn);
        user.ok_or_else(unknown)
    }

    /// Does something, unless this address has failed to log in too often.
    fn unless_blocked<T>(&self, peer: Peer, act: impl FnOnce() -> T) -> Result<T, Problem> {
        match self.failures.wait(&peer, Instant::now()) {
            Some(wait) => Err(too_many("there were too many failed logins from this address", wait)),
            None => Ok(act()),
        }
    }

    fn meter(&self, client: &Client, peer: Peer) -> Result<(), Problem> {
        let Some(rate) = &self.rate else { return Ok(()) };
        let (share, now) = (client.shared_name().map_or(Share::Peer(peer), Share::User), Instant::now());
        if let Some(wait) = rate.wait(&share, now) {
            return Err(too_many("there are too many requests from you", wait));
        }
        rate.take(&share, now);
        Ok(())
    }
}

/// Lets a request through with the [`Client`] that makes it, or answers 401 or 429.
pub(super) async fn admit(site: &Site, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get().copied().unwrap_or(Peer::Local);
    let credentials = Credentials::of(request.headers());
    let client = site.auth.client(peer, credentials).await;
    match client.and_then(|client| site.auth.meter(&client, peer).map(|()| client)) {
        Ok(client) => {
            request.extensions_mut().insert(client.clone());
            let mut response = next.run(request).await;
            response.extensions_mut().insert(client);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// 401, with what would be accepted.
fn challenge(detail: &'static str) -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, detail);
    let ask = |problem: Problem, text| problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static(text));
    CHALLENGES.into_iter().fold(problem, ask)
}

fn unknown() -> Problem {
    challenge("these credentials are not known here")
}

fn too_many(detail: &'static str, wait: Duration) -> Problem {
    let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, seconds)
}
