//! Refusals: what is wrong, in the words of the protocol that is spoken. Clients of other tools do not read ours.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::problem::Problem;

/// How a protocol says that something is wrong: a status, a media type and a text.
pub(super) type Refusal = fn(&Problem) -> (StatusCode, &'static str, String);

/// The refusals of all addresses that have their own.
#[derive(Debug, Default)]
pub(super) struct Refusals(HashMap<&'static str, Refusal>);

impl Refusals {
    pub(super) fn add(&mut self, path: &'static str, refusal: Option<Refusal>) {
        self.0.extend(refusal.map(|refusal| (path, refusal)));
    }

    /// The answer that an address gives. Where something is wrong, that is said in words of its protocol.
    pub(super) fn phrase(&self, path: Option<&MatchedPath>, response: Response) -> Response {
        let Some(problem) = response.extensions().get::<Problem>() else { return response };
        let Some(refusal) = path.and_then(|path| self.0.get(path.as_str())) else { return response };
        let (status, kind, text) = refusal(problem);
        let (mut parts, _) = response.into_parts();
        parts.status = status;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Response::from_parts(parts, Body::from(text))
    }
}
