//! The depth: how far below a place a question reaches (RFC 4918, section 10.2).

use axum::http::{HeaderMap, HeaderName};

use crate::server::problem::Problem;

const DEPTH: HeaderName = HeaderName::from_static("depth");

/// How far a question reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// To the place itself.
    Zero,
    /// To what lies in it.
    One,
}

impl Depth {
    /// The depth that a request asks for. Without one it would be everything, which a server need not answer.
    ///
    /// # Errors
    /// 403 for everything, 400 for what is no depth.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match headers.get(DEPTH).map(|value| value.as_bytes()) {
            Some(b"0") => Ok(Self::Zero),
            Some(b"1") => Ok(Self::One),
            Some(value) if !value.eq_ignore_ascii_case(b"infinity") => {
                Err(Problem::bad_request("`Depth` is `0` or `1`"))
            }
            _ => Err(Problem::forbidden("ask with `Depth: 0` or `Depth: 1`; all at once is not listed")),
        }
    }
}
