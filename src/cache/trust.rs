//! Trust: what decides whether an artifact may be used, and what vouches for those that are made here.
//!
//! Two functions, so that the engine need not know what a signature is; `signing` has those that check and make them.

use std::fmt;
use std::sync::Arc;

use crate::model::{Digest, Signature};

type Judge = dyn Fn(&str, &Digest, Option<&Signature>) -> Result<(), String> + Send + Sync;
type Sign = dyn Fn(&str, &Digest) -> Signature + Send + Sync;

/// The project's trust. By default everything is trusted, and nothing is signed.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    judge: Option<Arc<Judge>>,
    sign: Option<Arc<Sign>>,
}

impl Trust {
    /// Uses only artifacts that `judge` lets pass; it says why not.
    #[cfg(feature = "signing")]
    pub(super) fn judged(
        self,
        judge: impl Fn(&str, &Digest, Option<&Signature>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { judge: Some(Arc::new(judge)), ..self }
    }

    /// Signs what is made.
    #[cfg(feature = "signing")]
    pub(super) fn signed(self, sign: impl Fn(&str, &Digest) -> Signature + Send + Sync + 'static) -> Self {
        Self { sign: Some(Arc::new(sign)), ..self }
    }

    /// Whether an artifact of this tag, content and signature may be used; an error says why not.
    pub(crate) fn admits(&self, tag: &str, digest: &Digest, signature: Option<&Signature>) -> Result<(), String> {
        self.judge.as_ref().map_or(Ok(()), |judge| judge(tag, digest, signature))
    }

    /// Whether what is made is signed.
    pub(crate) fn signs(&self) -> bool {
        self.sign.is_some()
    }

    /// Vouches for an artifact of this tag, if the project does that.
    pub(crate) fn vouch<'a>(&'a self, tag: &'a str) -> Option<impl Fn(&Digest) -> Signature + 'a> {
        self.sign.as_deref().map(|sign| move |digest: &Digest| sign(tag, digest))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("judges", &self.judge.is_some()).field("signs", &self.signs()).finish()
    }
}
