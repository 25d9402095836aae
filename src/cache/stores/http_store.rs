//! Objects on a web server: GET, HEAD, PUT and DELETE of `<url>/<name>`.
//!
//! A plain server (nginx with `dav_methods`, say) does. What `cortado`'s own server adds is asked for by headers that a
//! plain one ignores: `Cortado-…` beside an object, and the listing as lines of JSON.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use ureq::Body;
use ureq::http::{HeaderMap, HeaderValue, Method, Response, header};

use super::answer::{drain, header_of, length, present, refusal, text_of};
use super::http::Http;
use super::labels::{labels, provenance};
use super::listing;
use super::sized::Sized;
use super::turns::Turns;
use crate::cache::{Listed, Objects, Put, Store, Stored};
use crate::error::{Error, Result};
use crate::host::http::{Address, Client, Content, Request, basic, extent};
use crate::text;

/// Above this size, the server is asked whether it wants a content before it is sent.
const ASK_FIRST: u64 = 1 << 20;

/// A web server. Made by [`Http::open`].
pub struct HttpStore {
    base: Address,
    authorization: Option<HeaderValue>,
    client: Client,
    limit: u64,
    turns: Turns,
}

impl Http {
    /// The store. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When the address, the credentials or the certificates cannot be used.
    pub fn open(&self) -> Result<HttpStore> {
        let refused = |problem: &str| Error::Invalid {
            place: format!("store {}", self.url),
            problem: problem.to_owned(),
            hint: String::new(),
        };
        let base = Address::parse(self.url.expose()).map_err(|error| refused(&error.to_string()))?;
        if base.scheme == "file" {
            return Err(refused("a web server has an `http` or `https` address"));
        }
        if base.target.contains(['?', '@']) {
            return Err(refused(
                "below an address with `?` or `@` in its path lie no objects; in a password they are `%3F`, `%40`",
            ));
        }
        let authorization = authorization(self, &base).map_err(|problem| refused(&problem))?;
        let client = self.network.client()?;
        Ok(HttpStore { base, authorization, client, limit: self.network.max_object_size, turns: Turns::default() })
    }
}

impl HttpStore {
    /// What the server knows of an object: its size, when it was put there, and what is told of it by headers.
    ///
    /// # Errors
    /// When the server cannot answer.
    pub fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        let describe = || -> anyhow::Result<_> {
            let Some(answer) = self.head(name)? else { return Ok(None) };
            let mut listed = Listed::new(name, length(&answer).unwrap_or_default(), None);
            listed.provenance = provenance(|label| text_of(&answer, &header_of(label)?).map(str::to_owned));
            Ok(Some(listed))
        };
        describe().with_context(|| self.failed("head", name))
    }

    /// `get of `a` from server https://cache.example.org`
    fn what(&self, operation: &str, name: &str) -> String {
        format!("{operation} of `{name}` from {}", self.place())
    }

    fn failed(&self, operation: &str, name: &str) -> String {
        format!("{} failed", self.what(operation, name))
    }

    fn address(&self, name: &str) -> anyhow::Result<Address> {
        ensure!(!matches!(name, "" | "." | ".."), "`{name}` cannot be the name of an object");
        Ok(self.base.below(name))
    }

    fn ask(
        &self,
        method: Method,
        address: &Address,
        more: HeaderMap,
        content: Content<'_>,
    ) -> anyhow::Result<Response<Body>> {
        let mut headers = more;
        headers.extend(self.authorization.clone().map(|value| (header::AUTHORIZATION, value)));
        self.client.send(Request { method, address, headers, content })
    }

    /// The headers of an object; `None` when there is none.
    fn head(&self, name: &str) -> anyhow::Result<Option<Response<Body>>> {
        let answer = self.ask(Method::HEAD, &self.address(name)?, HeaderMap::new(), Content::Nothing)?;
        match answer.status().as_u16() {
            200 | 204 => Ok(Some(answer)),
            404 | 410 => Ok(None),
            _ => Err(refusal(answer)),
        }
    }

    fn open_object(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let answer = self.ask(Method::GET, &self.address(name)?, HeaderMap::new(), Content::Nothing)?;
        match answer.status().as_u16() {
            200 => self.body(answer, self.what("get", name)).map(Some),
            404 | 410 => {
                drain(answer);
                Ok(None)
            }
            _ => Err(refusal(answer)),
        }
    }

    /// What arrives, held against what was announced: a connection that breaks must not look like the end.
    fn body(&self, answer: Response<Body>, what: String) -> anyhow::Result<Box<dyn Read + Send>> {
        let size = extent(&answer)?;
        if let Some(size) = size.filter(|size| *size > self.limit) {
            bail!("it has {}, and the limit is {}", text::bytes(size), text::bytes(self.limit));
        }
        Ok(Box::new(Sized::new(answer.into_body().into_reader(), size, self.limit).named(what)))
    }

    fn send(&self, name: &str, content: Content<'_>, options: &Put) -> anyhow::Result<Stored> {
        let _turn = self.turns.take(name);
        if !options.replace
            && let Some(answer) = self.head(name)?
        {
            return Ok(present(&answer, options));
        }
        let answer = self.ask(Method::PUT, &self.address(name)?, put_headers(options)?, content)?;
        match answer.status().as_u16() {
            200 | 201 | 202 | 204 => {
                drain(answer);
                Ok(Stored::New)
            }
            412 if !options.replace => Ok(present(&answer, options)),
            413 => Ok(Stored::Declined(self.too_large(options))),
            _ => Err(refusal(answer)),
        }
    }

    fn too_large(&self, options: &Put) -> String {
        let size = options.size.map(|size| format!(": {}", text::bytes(size))).unwrap_or_default();
        format!("too large for {}{size}", self.place())
    }
}

impl Store for HttpStore {
    fn place(&self) -> String {
        format!("server {}", self.base.shown().trim_end_matches('/'))
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.open_object(name).with_context(|| self.failed("get", name))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        let mut content = Sized::new(content, options.size, u64::MAX);
        self.send(name, Content::Once(&mut content), options).with_context(|| self.failed("put", name))
    }

    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        let put = || -> anyhow::Result<_> {
            let size = std::fs::metadata(path)?.len();
            let open =
                || -> io::Result<Box<dyn Read>> { Ok(Box::new(Sized::new(File::open(path)?, Some(size), size))) };
            self.send(name, Content::Again(&open), &Put { size: Some(size), ..options.clone() })
        };
        put().with_context(|| self.failed("put", name))
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.head(name).with_context(|| self.failed("head", name))?.is_some())
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let remove = || -> anyhow::Result<_> {
            let answer = self.ask(Method::DELETE, &self.address(name)?, HeaderMap::new(), Content::Nothing)?;
            match answer.status().as_u16() {
                200 | 202 | 204 => Ok(true),
                404 | 410 => Ok(false),
                _ => return Err(refusal(answer)),
            }
            .inspect(|_| drain(answer))
        };
        remove().with_context(|| self.failed("delete", name))
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let list = || -> anyhow::Result<_> {
            let address = self.base.below("");
            let accept = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(listing::MEDIA_TYPE))]);
            let answer = self.ask(Method::GET, &address, accept, Content::Nothing)?;
            match (answer.status().as_u16(), text_of(&answer, &header::CONTENT_TYPE)) {
                (200, Some(kind)) if kind.starts_with(listing::MEDIA_TYPE) => {
                    listing::read(self.body(answer, format!("list of {}", self.place()))?)
                }
                (200 | 403 | 404 | 405 | 501, _) => bail!(listing::unsupported(&self.place())),
                _ => Err(refusal(answer)),
            }
        };
        list().with_context(|| format!("list of {} failed", self.place()))
    }
}

impl std::fmt::Debug for HttpStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpStore").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// The one way to authenticate that is configured.
fn authorization(server: &Http, base: &Address) -> Result<Option<HeaderValue>, String> {
    let given = match (&server.username, &server.password) {
        (Some(username), password) => {
            let password = password.as_ref().map_or("", |password| password.expose());
            Some(basic(format!("{username}:{password}").as_bytes()))
        }
        (None, Some(_)) => return Err("there is a `password`, but no `username`".into()),
        (None, None) => None,
    };
    let token = server.token.as_ref().map(|token| format!("Bearer {}", token.expose()));
    let ways = [given, token, base.credentials().map(|credentials| basic(&credentials))];
    let mut ways = ways.into_iter().flatten();
    let Some(way) = ways.next() else { return Ok(None) };
    if ways.next().is_some() {
        return Err(
            "there are several credentials: give `username` and `password`, or `token`, or an address with them".into(),
        );
    }
    let mut value =
        HeaderValue::from_str(&way).map_err(|_| "its credentials hold a character that HTTP cannot carry")?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn put_headers(options: &Put) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    if let Some(size) = options.size {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    }
    if options.size.is_none_or(|size| size > ASK_FIRST) {
        headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    }
    match options.replace {
        true => headers.insert("cortado-replace", HeaderValue::from_static("true")),
        false => headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*")),
    };
    for (label, value) in labels(options) {
        headers
            .extend(header_of(label).map(|name| HeaderValue::from_str(&value).map(|value| (name, value))).transpose()?);
    }
    Ok(headers)
}
