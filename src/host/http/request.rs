//! One request and its answer, after redirects and after pauses that the server asked for.

use std::io::{self, Read};
use std::time::Duration;

use anyhow::Context;
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use ureq::{Agent, Body, SendBody};

use super::address::Address;
use super::client::agent;
use super::redirect::follow;
use super::{Network, Retries};
use crate::error::Result;

/// Headers that say nothing about who asks: whatever else a request has stays with the host that it is for.
const HARMLESS: [HeaderName; 6] = [
    header::ACCEPT,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::IF_NONE_MATCH,
    header::RANGE,
];

/// A server may be busy at one moment and not at the next.
const PASSING: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

/// Makes requests.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    retries: Retries,
}

/// What to ask.
pub(crate) struct Request<'a, 'c> {
    pub(crate) method: Method,
    pub(crate) address: &'a Address,
    /// A redirect to another host carries only those that are [harmless](HARMLESS).
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content<'c>,
}

/// What to send along.
pub(crate) enum Content<'a> {
    Nothing,
    /// It can be read once, so the request cannot be made again.
    Once(&'a mut dyn Read),
    /// It can be opened as often as it has to be.
    Again(&'a dyn Fn() -> io::Result<Box<dyn Read>>),
}

impl Client {
    pub(crate) fn new(network: &Network) -> Result<Self> {
        Ok(Self { agent: agent(network)?, retries: network.retries })
    }

    /// The answer, whatever its status: after redirects, and after as many more attempts as are allowed when it asked
    /// for patience.
    ///
    /// # Errors
    /// When there is no answer, or when it is a redirect that cannot be followed.
    pub(crate) fn send(&self, mut request: Request<'_, '_>) -> anyhow::Result<Response<Body>> {
        let mut waits = self.retries.waits();
        loop {
            let response = self.attempt(&mut request)?;
            let passing = PASSING.contains(&response.status().as_u16());
            // Asking again earlier than the server wants is of no use, and nobody here wants to wait longer.
            let asked = retry_after(&response).unwrap_or_default();
            let bearable = passing && asked <= self.retries.longest && request.content.is_repeatable();
            let Some(wait) = waits.next().filter(|_| bearable) else { return Ok(response) };
            std::thread::sleep(wait.min(self.retries.longest).max(asked));
        }
    }

    fn attempt(&self, request: &mut Request<'_, '_>) -> anyhow::Result<Response<Body>> {
        let (start, method) = (request.address, request.method.clone());
        let mut sent = false;
        let ask = |address: &Address| {
            anyhow::ensure!(
                !sent || request.content.is_repeatable(),
                "it redirects, and a stream can be sent only once"
            );
            sent = true;
            self.ask(address, request)
        };
        follow(start, &method, ask, anyhow::Error::msg)
    }

    fn ask(&self, address: &Address, request: &mut Request<'_, '_>) -> anyhow::Result<Response<Body>> {
        let mut asked = http::Request::builder().method(&request.method).uri(address.shown());
        let own = address.same_origin(request.address);
        for (name, value) in request.headers.iter().filter(|(name, _)| own || HARMLESS.contains(name)) {
            asked = asked.header(name, value);
        }
        Ok(match &mut request.content {
            Content::Nothing => self.agent.run(asked.body(())?)?,
            Content::Once(content) => self.agent.run(asked.body(SendBody::from_reader(*content))?)?,
            Content::Again(open) => {
                let content = open().context("could not open what is to be sent")?;
                self.agent.run(asked.body(SendBody::from_owned_reader(content))?)?
            }
        })
    }
}

impl Content<'_> {
    fn is_repeatable(&self) -> bool {
        !matches!(self, Self::Once(_))
    }
}

/// How long the body of an answer is; `None` when its chunks will tell.
///
/// # Errors
/// When nothing tells: a connection that breaks would look like the end.
pub(crate) fn extent(response: &Response<Body>) -> anyhow::Result<Option<u64>> {
    let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let size = text(header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
    let chunked = text(header::TRANSFER_ENCODING).is_some_and(|coding| coding.contains("chunked"));
    anyhow::ensure!(size.is_some() || chunked, "the server does not say where the object ends");
    Ok(size)
}

/// The pause that a server asks for. The form with a date is rare, and trusting it would mean trusting both clocks.
pub(crate) fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}
