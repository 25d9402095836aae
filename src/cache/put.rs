//! The put: how an object is to be kept, and what its store may know about it.

use super::artifact::Artifact;
use super::provenance::Provenance;
use crate::model::Digest;

/// How to keep an object, and what is known about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Put {
    /// Whether an object of the same name is replaced; else the first one stays.
    pub replace: bool,
    /// The size of the content in bytes, where it is known beforehand.
    pub size: Option<u64>,
    /// The artifact's identity, the SHA-256 of its uncompressed tar, where it is known.
    pub digest: Option<Digest>,
    /// Where the object comes from.
    pub provenance: Provenance,
}

impl Put {
    /// Replaces an object of the same name.
    pub fn replacing(replace: bool) -> Self {
        Self { replace, ..Self::default() }
    }

    /// Everything that an artifact says of itself.
    pub fn of(artifact: &Artifact) -> Self {
        Self {
            replace: artifact.replace(),
            size: Some(artifact.size()),
            digest: Some(artifact.digest()),
            provenance: artifact.provenance().clone(),
        }
    }
}
