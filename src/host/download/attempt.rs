//! One attempt at a file on a web server: the request with its redirects, and the body into the partial file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::time::Duration;

use ureq::http::{Method, Response, header};
use ureq::{Agent, Body};

use super::slot::Slot;
use super::{Download, DownloadEvent};
use crate::error::{Error, Result};
use crate::host::http::{Address, basic, follow, retry_after};
use crate::text;

/// One try to get the rest of a file.
pub(super) struct Attempt<'a> {
    pub(super) client: &'a Agent,
    pub(super) download: &'a Download<'a>,
    pub(super) address: &'a Address,
    pub(super) slot: &'a Slot<'a>,
}

/// Why an attempt failed.
pub(super) enum Failure {
    /// Another attempt may succeed, after so long if the server said.
    Passing { reason: String, after: Option<Duration> },
    /// No attempt will.
    Final(Error),
}

impl Attempt<'_> {
    /// Gets what is missing of the file; says whether it continued what an earlier attempt brought.
    pub(super) fn run(&self, on_event: &mut dyn FnMut(DownloadEvent)) -> Result<bool, Failure> {
        let have = fs::metadata(self.slot.part_path()).map_or(0, |metadata| metadata.len());
        let response = self.request(have)?;
        match response.status().as_u16() {
            200 => {
                self.start_over(&response)?;
                self.receive(response, 0, on_event)?;
                Ok(false)
            }
            206 if have > 0 && begins_at(&response, have) => {
                self.receive(response, have, on_event)?;
                Ok(true)
            }
            // The partial file does not fit what the server has: without it there is no range to disagree about.
            206 | 416 if have > 0 => {
                self.slot.forget_part()?;
                self.run(on_event)
            }
            _ => Err(self.refusal(&response)),
        }
    }

    /// The answer to the request, after all redirects.
    fn request(&self, have: u64) -> Result<Response<Body>, Failure> {
        let ask = |address: &Address| match (self.download.cancelled)() {
            true => Err(Failure::Final(Error::Interrupted)),
            false => self.ask(address, have),
        };
        follow(self.address, &Method::GET, ask, |reason| self.hopeless(reason))
    }

    fn ask(&self, address: &Address, have: u64) -> Result<Response<Body>, Failure> {
        let mut request = self.client.get(address.shown());
        let mut credentials = address.credentials();
        if address.same_origin(self.address) {
            credentials = credentials.or_else(|| self.address.credentials());
            for (name, value) in self.download.headers {
                credentials = credentials.filter(|_| !name.eq_ignore_ascii_case("authorization"));
                request = request.header(name, value);
            }
        }
        if let Some(credentials) = credentials {
            request = request.header(header::AUTHORIZATION, basic(&credentials));
        }
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
            if let Ok(validator) = fs::read_to_string(self.slot.validator_path()) {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        request.call().map_err(|error| self.classify(error))
    }

    /// Starts the partial file over, noting what a later `If-Range` has to name. A weak ETag promises nothing about
    /// bytes, so it is no such name.
    fn start_over(&self, response: &Response<Body>) -> Result<()> {
        self.slot.forget_part()?;
        let strong = text_of(response, header::ETAG).filter(|etag| !etag.starts_with("W/"));
        let Some(validator) = strong.or_else(|| text_of(response, header::LAST_MODIFIED)) else { return Ok(()) };
        let path = self.slot.validator_path();
        fs::write(&path, validator).map_err(Error::io("write", &path))
    }

    /// Appends the body to the `have` bytes of the partial file.
    fn receive(
        &self,
        response: Response<Body>,
        have: u64,
        on_event: &mut dyn FnMut(DownloadEvent),
    ) -> Result<(), Failure> {
        let mut part = self.open_part()?;
        let total = text_of(&response, header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let total = total.map(|length| have.saturating_add(length));
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 128 << 10];
        let mut bytes = have;
        loop {
            if (self.download.cancelled)() {
                return Err(Failure::Final(Error::Interrupted));
            }
            let count = match body.read(&mut buffer) {
                Ok(0) if total.is_some_and(|total| bytes < total) => return Err(broken(bytes, total, "it ended")),
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(bytes, total, error)),
            };
            let arrived = buffer.get(..count).unwrap_or_default();
            part.write_all(arrived).map_err(Error::io("write", self.slot.part_path()))?;
            bytes += count as u64;
            on_event(DownloadEvent::Progress { bytes, total });
        }
    }

    fn open_part(&self) -> Result<File> {
        let path = self.slot.part_path();
        OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("create", &path))
    }

    fn refusal(&self, response: &Response<Body>) -> Failure {
        let status = response.status();
        let reason = format!("the server answered {status}");
        if !matches!(status.as_u16(), 408 | 425 | 429 | 500..) {
            return self.hopeless(reason);
        }
        Failure::Passing { reason, after: retry_after(response) }
    }

    fn classify(&self, error: ureq::Error) -> Failure {
        match error {
            // Certificates that are not to be trusted arrive like this, too.
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => self.hopeless(error.to_string()),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
                self.hopeless(error.to_string())
            }
            ureq::Error::Io(error) => Failure::Passing { reason: error.to_string(), after: None },
            error => Failure::Passing { reason: error.to_string(), after: None },
        }
    }

    fn hopeless(&self, reason: impl Into<String>) -> Failure {
        Failure::Final(self.address.error(reason))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Whether a 206 answer continues behind the bytes at hand.
fn begins_at(response: &Response<Body>, have: u64) -> bool {
    let range = text_of(response, header::CONTENT_RANGE).unwrap_or_default();
    let start = range.strip_prefix("bytes ").and_then(|range| range.split_once('-'));
    start.is_some_and(|(start, _)| start.parse() == Ok(have))
}

fn text_of(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn broken(bytes: u64, total: Option<u64>, why: impl std::fmt::Display) -> Failure {
    let of = total.map(|total| format!(" of {}", text::bytes(total))).unwrap_or_default();
    let reason = format!("the transfer broke off after {}{of}: {why}", text::bytes(bytes));
    Failure::Passing { reason, after: None }
}
