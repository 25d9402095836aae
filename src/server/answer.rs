//! The answer that holds an object, whichever protocol asks for it: all of it, a part, or that the client has it already.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::ask::Ask;
use super::digests::{CONTENT_DIGEST, REPR_DIGEST};
use super::known::{Known, kind};
use super::name::Name;
use super::problem::Problem;
use super::range::{Asked, asked};
use super::shelf::Found;
use super::site::Site;

/// Answers a request that has those headers. The answer to HEAD is the same; its body is not read.
///
/// # Errors
/// 416 when the part that is asked for lies beyond the end.
pub(super) fn answer(site: &Site, name: &Name, found: Found, headers: &HeaderMap) -> Result<Response, Problem> {
    answer_after(0, site, name, found, headers)
}

/// Like [`answer`], with what follows the first `preface` bytes of a file. A stream has come behind them already.
pub(super) fn answer_after(
    preface: u64,
    site: &Site,
    name: &Name,
    found: Found,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let mut response = respond(preface, site, name, found, headers)?;
    response.extensions_mut().insert(Ask { name: name.clone(), hit: true });
    Ok(response)
}

fn respond(preface: u64, site: &Site, name: &Name, found: Found, headers: &HeaderMap) -> Result<Response, Problem> {
    let (file, look, known) = match found {
        Found::Stream(object) => return Ok((kind(name), site.shelf.stream(object)).into_response()),
        Found::File(file, look, known) => (file, look, known),
    };
    let size = look.size.saturating_sub(preface);
    let mut answer = known.headers(name);
    if preface > 0 {
        // That is known of the object, not of what is sent.
        answer.remove(REPR_DIGEST);
    }
    if is_known_already(headers, &known) {
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    match part(headers, size, &known) {
        Asked::All => {
            answer.extend(answer.get(REPR_DIGEST).cloned().map(|value| (CONTENT_DIGEST, value)));
            Ok((answer, site.shelf.body(file, preface..preface + size)).into_response())
        }
        Asked::Part(part) => {
            let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            answer.extend(HeaderValue::from_str(&range).map(|value| (header::CONTENT_RANGE, value)));
            let body = site.shelf.body(file, preface + part.start..preface + part.end);
            Ok((StatusCode::PARTIAL_CONTENT, answer, body).into_response())
        }
        Asked::Beyond => Err(beyond(size)),
    }
}

/// Whether the client has this very content (`If-None-Match`).
fn is_known_already(headers: &HeaderMap, known: &Known) -> bool {
    let tag = known.tag();
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag
    })
}

/// The part that is asked for. One that was meant of another content (`If-Range`) is not.
fn part(headers: &HeaderMap, size: u64, known: &Known) -> Asked {
    let is_meant = headers.get(header::IF_RANGE).is_none_or(|condition| condition.as_bytes() == known.tag());
    match headers.get(header::RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) if is_meant => asked(range, size),
        _ => Asked::All,
    }
}

fn beyond(size: u64) -> Problem {
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("the object has {size} bytes"));
    match HeaderValue::from_str(&format!("bytes */{size}")) {
        Ok(value) => problem.with(header::CONTENT_RANGE, value),
        Err(_) => problem,
    }
}
