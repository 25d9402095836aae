//! PUT of an artifact: the first one stays, unless an admin replaces it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::granted;
use crate::Digest;
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::labels;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::shelf::{Found, Kept};
use crate::server::site::Site;
use crate::server::upload::Upload;

/// Asks that an object of the same name is replaced.
const REPLACE: HeaderName = HeaderName::from_static("cortado-replace");

pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(name): InPath<String>,
    upload: Upload,
) -> Result<Response, Problem> {
    let replace = upload.headers.get(REPLACE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let name = granted(&client, if replace { Role::Admin } else { Role::Writer }, &name)?;
    let terms = upload.terms(&site)?;
    let once = upload.is_once();
    if once
        && site.shelf.has(&name).await?
        && let Some(found) = site.shelf.find_here(&name).await?
    {
        return Err(taken(&site, &name, identity_of(found)).await?);
    }
    let mut put = labels::put(&upload.headers, client.name());
    put.replace = replace && !once;
    match site.shelf.keep(&name, upload.body, terms, put).await? {
        Kept::New(digest) => Ok((StatusCode::CREATED, tagged(&digest)).into_response()),
        Kept::Same(digest) if !once => Ok((StatusCode::OK, tagged(&digest)).into_response()),
        Kept::Same(_) => Err(Problem::taken()),
        Kept::Different(known) if once => {
            Err(Problem::taken().with_all(labels::headers(&Default::default(), known.identity)))
        }
        Kept::Different(known) => Err(Problem::conflict("there is an object of that name with another content")
            .with_all(tagged(&known.content))
            .with_all(labels::headers(&Default::default(), known.identity))),
    }
}

/// 412, with what is known of the object that is there.
async fn taken(site: &Site, name: &Name, identity: Option<Digest>) -> Result<Problem, Problem> {
    let provenance = site.shelf.describe(name).await?.map(|listed| listed.provenance).unwrap_or_default();
    Ok(Problem::taken().with_all(labels::headers(&provenance, identity)))
}

fn identity_of(found: Found) -> Option<Digest> {
    if let Found::File(_, _, known) = found { known.identity } else { None }
}

fn tagged(digest: &Digest) -> HeaderMap {
    HeaderValue::from_str(&format!("\"{digest}\"")).map(|value| (header::ETAG, value)).into_iter().collect()
}
