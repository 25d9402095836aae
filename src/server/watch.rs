//! The watch: sees every request come and go, counts it and tells of it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};

use super::ask::Ask;
use super::auth::{self, Client};
use super::connection::Peer;
use super::event::{Access, Event};
use super::leftover;
use super::problem::Cause;
use super::refusal::Refusals;
use super::site::Site;

/// Methods that are counted by name. Anybody can invent others.
const METHODS: [&str; 8] = ["GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS", "PROPFIND", "MKCOL"];

/// Lets a request through if it may pass, and follows its answer to the end.
pub(super) async fn watch(
    State((site, refusals)): State<(Arc<Site>, Arc<Refusals>)>,
    request: Request,
    next: Next,
) -> Response {
    let mut seen = Seen::new(site, &request);
    let response = auth::admit(&seen.site, leftover::finish(request), next).await;
    let response = refusals.phrase(seen.route.as_ref(), response);
    seen.status = response.status().as_u16();
    seen.client = response.extensions().get::<Client>().cloned();
    seen.cause = response.extensions().get::<Cause>().map(|cause| cause.0.to_string());
    if let Some(Ask { name, hit }) = response.extensions().get()
        && seen.method == Method::GET
    {
        seen.site.history.asked(name, *hit);
    }
    response.map(|body| {
        // Nobody asks for the body of an answer to HEAD.
        seen.complete = body.is_end_stream() || seen.method == Method::HEAD;
        Body::new(Watched { body, seen })
    })
}

/// A request that is being answered. Dropped, it is over.
struct Seen {
    site: Arc<Site>,
    route: Option<MatchedPath>,
    since: Instant,
    peer: Option<Peer>,
    client: Option<Client>,
    method: Method,
    uri: Uri,
    status: u16,
    sent: u64,
    complete: bool,
    cause: Option<String>,
}

impl Seen {
    fn new(site: Arc<Site>, request: &Request) -> Self {
        site.metrics.begin();
        Self {
            site,
            route: request.extensions().get().cloned(),
            since: Instant::now(),
            peer: request.extensions().get().copied(),
            client: None,
            method: request.method().clone(),
            uri: request.uri().clone(),
            // What a client sees of it that does not wait for an answer: nginx has the same number.
            status: 499,
            sent: 0,
            complete: false,
            cause: None,
        }
    }

    fn access(&mut self, time: Duration) -> Access {
        Access {
            peer: match self.peer {
                Some(Peer::Address(address)) => address.to_string(),
                Some(Peer::Local) | None => "unix".to_owned(),
            },
            user: self.client.as_ref().and_then(Client::name).map(str::to_owned),
            method: self.method.to_string(),
            path: self.uri.path().to_owned(),
            status: self.status,
            sent: self.sent,
            complete: self.complete,
            seconds: time.as_secs_f64(),
            cause: self.cause.take(),
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let time = self.since.elapsed();
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let method = METHODS.iter().find(|method| **method == self.method.as_str()).unwrap_or(&"other");
        self.site.metrics.end(route, method, self.status, self.sent, time);
        let site = self.site.clone();
        site.observer.tell(|| Event::Request(self.access(time)));
    }
}

/// The body of an answer, counted.
struct Watched {
    body: Body,
    seen: Seen,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let seen = &mut this.seen;
        match &frame {
            Some(Ok(frame)) => seen.sent += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(error)) => seen.cause = Some(told(error)),
            None => {}
        }
        // A body need not know beforehand that a frame is its last.
        seen.complete = match &frame {
            None => seen.cause.is_none(),
            Some(frame) => frame.is_ok() && this.body.is_end_stream(),
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What broke an answer off, with its reason.
fn told(error: &axum::Error) -> String {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
