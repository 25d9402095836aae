//! PUT of an artifact: the first one stays, unless an admin replaces it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};

use super::{NAMESPACE, NameInPath, name_of};
use crate::Digest;
use crate::server::auth::{Client, Role};
use crate::server::digests::Promises;
use crate::server::intake::Terms;
use crate::server::labels;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::shelf::{Found, Kept};
use crate::server::site::Site;

/// Asks that an object of the same name is replaced.
const REPLACE: HeaderName = HeaderName::from_static("cortado-replace");

pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    path: NameInPath,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let name = name_of(path)?;
    let replace = headers.get(REPLACE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    client.may(if replace { Role::Admin } else { Role::Writer }, NAMESPACE)?;
    let terms = terms(version, &headers, site.options.max_object)?;
    let once = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == b"*");
    if once
        && site.shelf.has(&name).await?
        && let Some(found) = site.shelf.find(&name).await?
    {
        return Err(taken(&site, &name, identity_of(found)).await?);
    }
    let mut put = labels::put(&headers, client.name());
    put.replace = replace && !once;
    put.size = terms.size;
    match site.shelf.keep(&name, body, terms, put).await? {
        Kept::New(digest) => Ok((StatusCode::CREATED, tagged(&digest)).into_response()),
        Kept::Same(digest) if !once => Ok((StatusCode::OK, tagged(&digest)).into_response()),
        Kept::Same(_) => Err(precondition()),
        Kept::Different(known) if once => {
            Err(precondition().with_all(labels::headers(&Default::default(), known.identity)))
        }
        Kept::Different(known) => Err(Problem::conflict("there is an object of that name with another content")
            .with_all(tagged(&known.content))
            .with_all(labels::headers(&Default::default(), known.identity))),
    }
}

/// What a request says of its body.
///
/// # Errors
/// 411 when it does not say how long the body is, 413 when that is too long.
fn terms(version: Version, headers: &HeaderMap, limit: u64) -> Result<Terms, Problem> {
    let size = match headers.get(header::CONTENT_LENGTH) {
        Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_length)?),
        // In chunks, and in the frames of HTTP/2, the end of a body is told apart from a break.
        None if version == Version::HTTP_2 || headers.contains_key(header::TRANSFER_ENCODING) => None,
        None => return Err(no_length()),
    };
    if size.is_some_and(|size| size > limit) {
        return Err(Problem::too_large(limit));
    }
    Ok(Terms { size, limit, promises: Promises::of(headers)? })
}

fn no_length() -> Problem {
    Problem::new(StatusCode::LENGTH_REQUIRED, "say how long the body is by `Content-Length`, or send it in chunks")
}

/// 412, with what is known of the object that is there.
async fn taken(site: &Site, name: &Name, identity: Option<Digest>) -> Result<Problem, Problem> {
    let provenance = site.shelf.describe(name).await?.map(|listed| listed.provenance).unwrap_or_default();
    Ok(precondition().with_all(labels::headers(&provenance, identity)))
}

fn identity_of(found: Found) -> Option<Digest> {
    if let Found::File(_, _, known) = found { known.identity } else { None }
}

fn precondition() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "there is an object of that name")
}

fn tagged(digest: &Digest) -> HeaderMap {
    HeaderValue::from_str(&format!("\"{digest}\"")).map(|value| (header::ETAG, value)).into_iter().collect()
}
