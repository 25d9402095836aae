//! Objects by key: what the protocols of other tools have in common.
//!
//! A key is whatever such a tool calls an object. It has a namespace, for rights, and a name in the store.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::answer;
use super::auth::{Client, Role};
use super::name::Name;
use super::problem::Problem;
use super::shelf::{Found, Kept};
use super::site::Site;
use super::upload::Upload;
use crate::{Digest, Provenance, Put};

/// The key of an object of another tool.
#[derive(Debug, Clone)]
pub(super) struct Key {
    namespace: &'static str,
    name: Name,
    /// The SHA-256 of the one content that belongs there, where the tool names contents by it.
    content: Option<Digest>,
}

/// What happens to an object that is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays.
    #[default]
    Stays,
    /// The new one takes its place: the tool's key says what was asked, not what came of it.
    Goes,
}

/// How an object is to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Deposit {
    pub(super) existing: Existing,
    /// What is known of it. The writer is who has logged in.
    pub(super) provenance: Provenance,
    /// What is kept before the content, in the same object.
    pub(super) preface: Bytes,
}

impl Key {
    /// `key` may be anything; two keys of a namespace never meet.
    pub(super) fn new(namespace: &'static str, key: &str) -> Self {
        Self { namespace, name: Name::within(namespace, key), content: None }
    }

    /// The same for a content that the key names: no other is taken, or given.
    pub(super) fn naming(self, content: Digest) -> Self {
        Self { content: Some(content), ..self }
    }

    /// Its name in the store.
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// Answers GET and HEAD.
    ///
    /// # Errors
    /// 404 when there is none; what rights, ranges and the store have against it.
    pub(super) async fn get(&self, site: &Site, client: &Client, headers: &HeaderMap) -> Result<Response, Problem> {
        let found = self.look(site, client).await?.ok_or_else(|| self.missing())?;
        self.give(site, found, headers)
    }

    /// Answers GET and HEAD with what was found.
    ///
    /// # Errors
    /// What ranges have against it.
    pub(super) fn give(&self, site: &Site, found: Found, headers: &HeaderMap) -> Result<Response, Problem> {
        answer(site, &self.name, found, headers)
    }

    /// The object, if there is one.
    ///
    /// # Errors
    /// What rights and the store have against it.
    pub(super) async fn look(&self, site: &Site, client: &Client) -> Result<Option<Found>, Problem> {
        client.may(Role::Reader, self.namespace)?;
        self.check(site, site.shelf.find(&self.name).await?).await
    }

    /// 404 of this object.
    pub(super) fn missing(&self) -> Problem {
        Problem::missing(&self.name)
    }

    /// The SHA-256 of the content, where the store knows it; `None` as well where there is none.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub(super) async fn digest(&self, site: &Site) -> Result<Option<Digest>, Problem> {
        site.shelf.digest(&self.name).await
    }

    /// What was found, unless it is not what the key names.
    async fn check(&self, site: &Site, found: Option<Found>) -> Result<Option<Found>, Problem> {
        match found {
            Some(Found::File(_, _, known)) if self.content.is_some_and(|content| content != known.content) => {
                site.shelf.condemn(&self.name, format!("its SHA-256 is {}", known.content)).await?;
                Ok(None)
            }
            found => Ok(found),
        }
    }

    /// Keeps what is uploaded.
    ///
    /// # Errors
    /// 412 when only the first one was to be kept, and there is one; what rights, limits, digests and the store have
    /// against it.
    pub(super) async fn put(
        &self,
        site: &Site,
        client: &Client,
        upload: Upload,
        deposit: Deposit,
    ) -> Result<Kept, Problem> {
        client.may(Role::Writer, self.namespace)?;
        let (mut terms, once) = (upload.terms(site)?, upload.is_once());
        terms.preface = deposit.preface;
        if once && site.shelf.has(&self.name).await? {
            return Err(Problem::taken());
        }
        if let Some(content) = self.content {
            // One that is not what its name says makes room here.
            if self.check(site, site.shelf.find_here(&self.name).await?).await?.is_some() && upload.waits_to_be_asked()
            {
                return Ok(Kept::Same(content));
            }
            terms.promises.add(content);
        }
        let mut provenance = deposit.provenance;
        provenance.writer = client.name().map(str::to_owned);
        let put = Put { provenance, replace: deposit.existing == Existing::Goes && !once, ..Put::default() };
        match site.shelf.keep(&self.name, upload.body, terms, put).await? {
            Kept::Same(_) | Kept::Different(_) if once => Err(Problem::taken()),
            kept => Ok(kept),
        }
    }

    /// Removes the object. Whoever may replace it may do that.
    ///
    /// # Errors
    /// 404 when there is none; what rights and the store have against it.
    pub(super) async fn remove(&self, site: &Site, client: &Client) -> Result<(), Problem> {
        client.may(Role::Writer, self.namespace)?;
        if site.shelf.remove(&self.name).await? { Ok(()) } else { Err(Problem::not_found()) }
    }
}
