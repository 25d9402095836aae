//! Files of packages: GET and PUT of `/p/<file>`, and the best file for a query.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;

use super::catalog::Catalog;
use super::form;
use super::package::Package;
use super::query::Query;
use super::{NAMESPACE, key};
use crate::server::auth::{Client, Role};
use crate::server::in_path::InPath;
use crate::server::intake::next;
use crate::server::keyed::Deposit;
use crate::server::problem::Problem;
use crate::server::shelf::Kept;
use crate::server::site::Site;
use crate::server::upload::Upload;

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(file): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    key(&package(&file)?).get(&site, &client, &headers).await
}

/// `/s/<query>`.
pub(super) async fn search(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(query): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let Ok(query) = query.parse::<Query>() else {
        return Ok((StatusCode::BAD_REQUEST, "your query is wrong").into_response());
    };
    let files = super::present(&site, Catalog::files(&site, &query.name).await?).await?;
    let Some(best) = query.best(&files) else {
        return Ok((StatusCode::NOT_FOUND, "package not found").into_response());
    };
    let mut answer = key(best).get(&site, &client, &headers).await?;
    // The name has no character that would have to be quoted.
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", best.file));
    answer.headers_mut().extend(disposition.map(|value| (header::CONTENT_DISPOSITION, value)));
    Ok(answer)
}

pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    InPath(file): InPath<String>,
    upload: Upload,
) -> Result<&'static str, Problem> {
    client.may(Role::Writer, NAMESPACE)?;
    let package = package(&file)?;
    let upload = opened(&site, upload, &file).await?;
    match key(&package).put(&site, &client, upload, Deposit::default()).await? {
        Kept::New(_) => site.catalog.add(package),
        Kept::Same(_) => {}
        Kept::Different(_) => {
            return Err(Problem::conflict(
                "there is a file of that name with another content; give it another version",
            ));
        }
    }
    Ok("ok")
}

fn package(file: &str) -> Result<Package, Problem> {
    let refused =
        || Problem::bad_request("that is no file of a package: call it `name-version.tar.gz`, or as PEP 427 has it");
    Package::parse(file).ok_or_else(refused)
}

/// An upload whose body is the file, which a form may have held.
///
/// # Errors
/// 400 when it is empty or no form, and whatever limits have against it.
async fn opened(site: &Site, mut upload: Upload, file: &str) -> Result<Upload, Problem> {
    let mut pace = site.options.pace();
    if let Some(boundary) = form::boundary(&upload.headers)? {
        let field = form::field(upload.body, &boundary, file, pace).await?;
        upload = Upload::part(Body::from_stream(field));
    }
    upload.terms(site)?;
    let mut rest = upload.body.into_data_stream();
    let first = next(&mut rest, &mut pace).await?;
    let first = first.ok_or_else(|| Problem::bad_request("no file of a package is empty"))?;
    upload.body = Body::from_stream(Led { first: Some(first), rest });
    Ok(upload)
}

/// A stream with a first part that was read already.
struct Led {
    first: Option<Bytes>,
    rest: BodyDataStream,
}

impl Stream for Led {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_next(context),
        }
    }
}
