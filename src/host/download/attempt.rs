//! One attempt at a file on a web server: the request with its redirects, and the body into the partial file.
//!
//! Redirects are followed here and not by the HTTP library, because it would carry the recipe's own headers to any host.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::time::Duration;

use ureq::http::{Response, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};

use super::address::Address;
use super::slot::Slot;
use super::{Download, DownloadEvent, Network};
use crate::error::{Error, Result};
use crate::text;

const REDIRECTS_MAX: usize = 10;

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

/// A client for all attempts of a download.
pub(super) fn client(network: &Network) -> Result<Agent> {
    let proxy = match &network.proxy {
        Some(proxy) => Some(Proxy::new(proxy).map_err(|error| invalid("proxy", error))?),
        None => None,
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("cortado/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .proxy(proxy)
        .tls_config(TlsConfig::builder().root_certs(roots(network)?).build())
        .timeout_connect(Some(network.timeouts.connect))
        .timeout_per_read(Some(network.timeouts.idle))
        .timeout_per_write(Some(network.timeouts.idle))
        .timeout_global(network.timeouts.total);
    Ok(config.build().new_agent())
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
        let mut address = self.address.clone();
        for _ in 0..=REDIRECTS_MAX {
            if (self.download.cancelled)() {
                return Err(Failure::Final(Error::Interrupted));
            }
            let response = self.ask(&address, have)?;
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match (response.status().as_u16(), location) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => address = address.join(location)?,
                _ => return Ok(response),
            }
            if address.scheme == "file" {
                return Err(self.hopeless("it redirects to a `file` address"));
            }
        }
        Err(self.hopeless(format!("it redirects more than {REDIRECTS_MAX} times")))
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
            request = request.header(header::AUTHORIZATION, format!("Basic {}", base64(&credentials)));
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
        // The form with a date is rare, and trusting it would mean trusting both clocks: the usual pause serves.
        let after = text_of(response, header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        Failure::Passing { reason, after: after.map(Duration::from_secs) }
    }

    fn classify(&self, error: ureq::Error) -> Failure {
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => self.hopeless(error.to_string()),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
                self.hopeless(error.to_string())
            }
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

fn roots(network: &Network) -> Result<RootCerts> {
    let Some(path) = &network.ca_file else { return Ok(RootCerts::WebPki) };
    let pem = fs::read(path).map_err(Error::io("read", path))?;
    let mut roots = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(root) = item.map_err(|error| invalid(&path.display().to_string(), error))? {
            roots.push(root);
        }
    }
    if roots.is_empty() {
        return Err(invalid(&path.display().to_string(), "it holds no certificate"));
    }
    Ok(RootCerts::new_with_certs(&roots))
}

fn invalid(place: &str, problem: impl std::fmt::Display) -> Error {
    Error::Invalid { place: place.to_owned(), problem: problem.to_string(), hint: String::new() }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS.get(group >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_as_the_rfc_says() {
        let all = ["", "f", "fo", "foo", "foob", "Aladdin:open sesame"].map(|text| base64(text.as_bytes()));
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    }
}
