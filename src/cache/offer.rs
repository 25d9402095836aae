//! An offer: what became of an artifact in one tier.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::seconds;
use super::stored::Stored;

/// What became of an artifact in one tier that it came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Offer {
    /// The tier's name; `cache` where callbacks have no tiers.
    pub tier: Arc<str>,
    /// What became of it.
    #[serde(flatten)]
    pub kept: Kept,
    /// Bytes that the tier has now and had not before.
    pub bytes: u64,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds::serialize")]
    pub duration: Duration,
    /// Whether it was found in a farther tier, rather than built.
    pub fill: bool,
    /// Whether a failure of this tier ends the run.
    #[serde(skip)]
    pub required: bool,
}

/// What became of an artifact that a tier was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", content = "detail", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kept {
    /// It is kept.
    Stored,
    /// It was there already.
    Present,
    /// Another one of the same key was there already, and how the two differ.
    Differs(String),
    /// The tier does not take such an artifact, and why.
    Declined(String),
    /// It is not kept, and why.
    Failed(String),
    /// The tier did not say in time that it is kept.
    TimedOut,
    /// It was not offered, since the tier has failed before and is left alone.
    Skipped,
    /// It was not offered, since the tier is not written.
    Disabled,
}

impl Kept {
    /// Whether the tier has an artifact of that key now.
    pub fn is_kept(&self) -> bool {
        matches!(self, Kept::Stored | Kept::Present | Kept::Differs(_))
    }

    /// Whether something went wrong with this offer.
    pub fn is_failure(&self) -> bool {
        matches!(self, Kept::Failed(_) | Kept::TimedOut)
    }

    /// Whether the tier was meant to get it.
    pub(crate) fn is_asked(&self) -> bool {
        *self != Kept::Disabled
    }

    /// Why it is not kept though it should be.
    pub(crate) fn trouble(&self) -> Option<String> {
        match self {
            Kept::Failed(reason) => Some(reason.clone()),
            Kept::TimedOut => Some("no answer in time".into()),
            Kept::Skipped => Some("it has failed before and is left alone".into()),
            _ => None,
        }
    }
}

impl From<Stored> for Kept {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::New => Kept::Stored,
            Stored::Present => Kept::Present,
            Stored::Differs(how) => Kept::Differs(how),
            Stored::Declined(why) => Kept::Declined(why),
        }
    }
}

impl Offer {
    /// Of the only tier there is.
    pub(crate) fn sole(kept: Kept, size: u64, duration: Duration) -> Self {
        let bytes = if kept == Kept::Stored { size } else { 0 };
        Self { tier: super::look::SOLE_TIER.into(), kept, bytes, duration, fill: false, required: false }
    }

    /// Whether the tier was required to keep what was built, and did not.
    pub(crate) fn is_fatal(&self) -> bool {
        self.required && !self.fill && self.kept.trouble().is_some()
    }
}
