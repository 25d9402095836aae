//! Pages: templates, and the answers that they become.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::words;
use crate::Digest;
use crate::server::problem::Problem;

/// The templates by name. What ends with `.html` is escaped.
const TEMPLATES: [(&str, &str); 7] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("project.html", include_str!("templates/project.html")),
    ("objects.html", include_str!("templates/objects.html")),
    ("packages.html", include_str!("templates/packages.html")),
    ("connect.html", include_str!("templates/connect.html")),
];

/// Nothing but what this server says: no script, no style in the text, nothing from elsewhere, and in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The templates of a site.
#[derive(Debug)]
pub(in crate::server) struct Pages(Environment<'static>);

impl Pages {
    pub(in crate::server) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        words::add_to(&mut environment);
        for (name, text) in TEMPLATES {
            // A template that cannot be read fails when it is rendered; a test renders all of them.
            _ = environment.add_template(name, text);
        }
        Self(environment)
    }

    /// A page.
    pub(super) fn render(&self, template: &str, values: impl Serialize) -> Result<Response, Problem> {
        let rendered = self.0.get_template(template).and_then(|page| {
            let version = Value::from(env!("CARGO_PKG_VERSION"));
            page.render(context! { version, ..Value::from(Serde(values)) })
        });
        let failed = |error: minijinja::Error| Problem::store_failed(&anyhow::Error::new(error).context("the page"));
        Ok((headers("text/html; charset=utf-8"), rendered.map_err(failed)?).into_response())
    }
}

fn headers(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ])
}

/// A file that pages use. It is asked for again with every page, and sent when it has changed.
pub(super) fn file(kind: &'static str, text: &'static str, request: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", Digest::of(text));
    let mut headers = headers(kind);
    headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    let is_same = |known: &HeaderValue| known == "*" || known.as_bytes() == tag.as_bytes();
    let known = request.get(header::IF_NONE_MATCH).is_some_and(is_same);
    if known { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, text).into_response() }
}
