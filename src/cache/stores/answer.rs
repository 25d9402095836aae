//! What an answer of a web server means for an object.

use std::io::{self, Read};

use anyhow::anyhow;
use ureq::Body;
use ureq::http::{HeaderName, Response, header};

use crate::cache::{Put, Stored};
use crate::host::http::retry_after;
use crate::text;

/// The largest answer that is read to its end although nobody needs it, so that its connection can be used again.
const DRAINED: u64 = 64 << 10;

/// `Cortado-Build-Time` for `build-time`.
pub(super) fn header_of(label: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(format!("cortado-{label}").as_bytes()).ok()
}

/// What became of a put to a name that is taken.
pub(super) fn present(answer: &Response<Body>, options: &Put) -> Stored {
    let kept = header_of("digest").and_then(|name| text_of(answer, &name).map(str::to_owned));
    let ours = options.digest.map(|digest| digest.to_string());
    match (kept, ours) {
        (Some(kept), Some(ours)) if kept != ours => Stored::Differs(format!("its digest is {kept}, not {ours}")),
        _ => Stored::Present,
    }
}

/// The error that an answer stands for.
pub(super) fn refusal(answer: Response<Body>) -> anyhow::Error {
    let hint = match answer.status().as_u16() {
        401 => ": it wants other credentials".to_owned(),
        403 => ": the credentials do not allow it".to_owned(),
        405 => ": it takes no such requests".to_owned(),
        429 | 503 => retry_after(&answer)
            .map(|pause| format!(" and wants {} of peace", text::duration(pause)))
            .unwrap_or_default(),
        507 => ": it is full".to_owned(),
        _ => String::new(),
    };
    let told = format!("the server answered {}{hint}", answer.status());
    // Of these, whoever asks may see that the server is well.
    let kind = match answer.status().as_u16() {
        400 => Some(io::ErrorKind::InvalidInput),
        401 | 403 => Some(io::ErrorKind::PermissionDenied),
        _ => None,
    };
    drain(answer);
    match kind {
        Some(kind) => io::Error::new(kind, told).into(),
        None => anyhow!(told),
    }
}

pub(super) fn drain(answer: Response<Body>) {
    if length(&answer).is_some_and(|length| length <= DRAINED) {
        // The connection is not used again otherwise: no harm.
        _ = io::copy(&mut answer.into_body().into_reader().take(DRAINED), &mut io::sink());
    }
}

pub(super) fn length(answer: &Response<Body>) -> Option<u64> {
    text_of(answer, &header::CONTENT_LENGTH)?.parse().ok()
}

pub(super) fn text_of<'a>(answer: &'a Response<Body>, name: &HeaderName) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok().map(str::trim)
}
