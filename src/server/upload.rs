//! Uploads: requests that bring an object, whichever protocol they speak.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};

use super::digests::Promises;
use super::intake::Terms;
use super::problem::Problem;
use super::site::Site;

/// A request with the body that it brings.
#[derive(Debug)]
pub(super) struct Upload {
    /// Whether the end of the body is told apart from a break.
    has_end: bool,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Upload {
    /// An upload out of another, which says nothing of it: the content of a form's field.
    pub(super) fn part(body: Body) -> Self {
        Self { has_end: true, headers: HeaderMap::new(), body }
    }

    /// What the request says of its body.
    ///
    /// # Errors
    /// 411 when it does not say how long the body is, 413 when that is too long, 400 for a digest that is none and for a
    /// part of an object, 415 for a body that would have to be decoded.
    pub(super) fn terms(&self, site: &Site) -> Result<Terms, Problem> {
        self.check_whole()?;
        let limit = site.options.max_object;
        let size = match self.headers.get(header::CONTENT_LENGTH) {
            Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_length)?),
            None if self.has_end => None,
            None => return Err(no_length()),
        };
        if size.is_some_and(|size| size > limit) {
            return Err(Problem::too_large(limit));
        }
        Ok(Terms { size, limit, promises: Promises::of(&self.headers)?, ..Terms::default() })
    }

    /// Whether it says beforehand how long the body is.
    pub(super) fn has_length(&self) -> bool {
        self.headers.contains_key(header::CONTENT_LENGTH)
    }

    /// Whether an object that is there is to stay (`If-None-Match: *`).
    pub(super) fn is_once(&self) -> bool {
        self.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == b"*")
    }

    /// Whether the body is only sent when it is asked for (`Expect: 100-continue`).
    pub(super) fn waits_to_be_asked(&self) -> bool {
        self.headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    }

    /// An object is kept as it is sent, and given as it was sent.
    fn check_whole(&self) -> Result<(), Problem> {
        if self.headers.contains_key(header::CONTENT_RANGE) {
            return Err(Problem::bad_request("an object is sent whole, not by `Content-Range`"));
        }
        match self.headers.get(header::CONTENT_ENCODING) {
            Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(encoded()),
            _ => Ok(()),
        }
    }
}

impl<S: Sync> FromRequest<S> for Upload {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        // In chunks, and in the frames of HTTP/2.
        let has_end = parts.version == Version::HTTP_2 || parts.headers.contains_key(header::TRANSFER_ENCODING);
        Ok(Self { has_end, headers: parts.headers, body })
    }
}

fn no_length() -> Problem {
    Problem::new(StatusCode::LENGTH_REQUIRED, "say how long the body is by `Content-Length`, or send it in chunks")
}

fn encoded() -> Problem {
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the object without `Content-Encoding`");
    problem.with(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
}
