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
    /// The SHA-256 that its key says it has.
    pub(super) promise: Option<Digest>,
    /// What is known of it. The writer is who has logged in.
    pub(super) provenance: Provenance,
    /// What is kept before the content, in the same object.
    pub(super) preface: Bytes,
}

impl Key {
    /// `key` may be anything; two keys of a namespace never meet.
    pub(super) fn new(namespace: &'static str, key: &str) -> Self {
        Self { namespace, name: Name::within(namespace, key) }
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
        let found = self.look(site, client).await?.ok_or_else(Problem::not_found)?;
        answer(site, &self.name, found, headers)
    }

    /// The object, if there is one.
    ///
    /// # Errors
    /// What rights and the store have against it.
    pub(super) async fn look(&self, site: &Site, client: &Client) -> Result<Option<Found>, Problem> {
        client.may(Role::Reader, self.namespace)?;
        site.shelf.find(&self.name).await
    }

    /// Keeps what is uploaded.
    ///
    /// # Errors
    /// What rights, limits, digests and the store have against it.
    pub(super) async fn put(
        &self,
        site: &Site,
        client: &Client,
        upload: Upload,
        deposit: Deposit,
    ) -> Result<Kept, Problem> {
        client.may(Role::Writer, self.namespace)?;
        let mut terms = upload.terms(site)?;
        deposit.promise.into_iter().for_each(|digest| terms.promises.add(digest));
        terms.preface = deposit.preface;
        let mut provenance = deposit.provenance;
        provenance.writer = client.name().map(str::to_owned);
        let put = Put { provenance, replace: deposit.existing == Existing::Goes, ..Put::default() };
        site.shelf.keep(&self.name, upload.body, terms, put).await
    }
}
