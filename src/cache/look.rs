//! A look: what one tier answered when it was asked for an artifact.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::miss::Miss;
use super::provenance::Provenance;
use super::seconds;

/// The name of the only tier, where callbacks have none.
pub(crate) const SOLE_TIER: &str = "cache";

/// What one tier answered. A fetch leaves one for each tier that it came to, in the order in which they were asked.
///
/// As JSON, a hit has no `reason`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Look {
    /// The tier's name; `cache` where callbacks have no tiers.
    pub tier: Arc<str>,
    /// Why it missed; `None` for a hit.
    #[serde(flatten)]
    pub miss: Option<Miss>,
    /// Bytes of the artifact that came from there, whole or not.
    pub bytes: u64,
    /// How long it took, unpacking included.
    #[serde(rename = "seconds", serialize_with = "seconds::serialize")]
    pub duration: Duration,
    /// How long the artifact took to build, where a hit says so.
    #[serde(
        rename = "seconds_saved",
        serialize_with = "seconds::serialize_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub saved: Option<Duration>,
    /// Whether what was there proved useless and was removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Whether a failure of this tier ends the run.
    #[serde(skip)]
    pub required: bool,
}

impl Look {
    /// A miss that cost nothing.
    pub(crate) fn missed(tier: Arc<str>, miss: Miss) -> Self {
        let (bytes, duration) = (0, Duration::ZERO);
        Self { tier, miss: Some(miss), bytes, duration, saved: None, removed: false, required: false }
    }

    /// Of the only tier there is.
    pub(crate) fn sole(miss: Option<Miss>, bytes: u64, duration: Duration, origin: Option<Provenance>) -> Self {
        let saved = origin.filter(|_| miss.is_none()).and_then(|origin| origin.build_time);
        Self { tier: SOLE_TIER.into(), miss, bytes, duration, saved, removed: false, required: false }
    }

    /// Whether the artifact was there, whole.
    pub fn is_hit(&self) -> bool {
        self.miss.is_none()
    }

    /// Whether the tier was required to answer, and did not.
    pub(crate) fn is_fatal(&self) -> bool {
        self.required && self.miss.as_ref().is_some_and(|miss| !miss.is_certain())
    }

    /// Why a whole fetch missed: the one of its looks that tells most.
    pub(crate) fn verdict<'l>(looks: impl Iterator<Item = &'l Look>) -> Miss {
        let told = looks.filter_map(|look| Some((look, look.miss.as_ref()?)));
        let most = told.max_by_key(|(_, miss)| miss.weight());
        most.map_or(Miss::Absent, |(look, miss)| miss.in_tier(&look.tier))
    }
}
