//! A problem: why a request was not done, as `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::ask::Ask;
use super::name::{Name, NotAName};

/// An answer that is not what was asked for.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    headers: Box<HeaderMap>,
    cause: Option<Cause>,
    ask: Option<Ask>,
}

/// What only the log may say, among the extensions of an answer.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub(super) std::sync::Arc<str>);

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), headers: Box::default(), cause: None, ask: None }
    }

    pub(super) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such object")
    }

    /// 404 of an object that was asked for.
    pub(super) fn missing(name: &Name) -> Self {
        Self { ask: Some(Ask { name: name.clone(), hit: false }), ..Self::not_found() }
    }

    pub(super) fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("an object has at most {limit} bytes here"))
    }

    pub(super) fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(super) fn taken() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "there is an object of that name")
    }

    pub(super) fn full() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "the store has no room for it")
    }

    /// The store failed. What the system says names paths, and is for the log, not for strangers.
    pub(super) fn store_failed(error: &anyhow::Error) -> Self {
        let full = error.chain().any(is_disk_full);
        let problem = match full {
            true => Self::new(StatusCode::INSUFFICIENT_STORAGE, "the disk is full"),
            false => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the store failed; the server's log says how"),
        };
        Self { cause: Some(Cause(format!("{error:#}").into())), ..problem }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong, for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// What only the log may say of it; where there is nothing of the kind, what everybody may know.
    pub(super) fn cause(&self) -> &str {
        self.cause.as_ref().map_or(&self.detail, |cause| &cause.0)
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds headers.
    pub(super) fn with_all(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }
}

fn is_disk_full(cause: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge))
}

impl From<NotAName> for Problem {
    fn from(error: NotAName) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let text = json!({ "status": self.status.as_u16(), "title": title, "detail": self.detail }).to_string();
        let mut response = (self.status, text).into_response();
        // A protocol may have words of its own for it.
        response.extensions_mut().insert(self.clone());
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().extend(*self.headers);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        if let Some(ask) = self.ask {
            response.extensions_mut().insert(ask);
        }
        response
    }
}
