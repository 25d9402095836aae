//! The write policy: which tiers get an artifact, and when it counts as kept.

use serde::{Deserialize, Serialize};

use crate::cache::offer::Offer;

/// Which of the tiers that are written get a fresh artifact, and what that comes to.
///
/// An artifact that a tier declines (it is too large, say) is not kept there, but that is no failure. Whatever the policy
/// says, the update fails when a [required](super::TierSettings::required) tier does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WritePolicy {
    /// Every tier gets it. It is kept when one of them has it; what went wrong with the others is a warning. The update
    /// fails when none has it and at least one failed.
    #[default]
    BestEffort,
    /// Every tier gets it. The update fails when one of them fails, or is left alone; it is kept when all have it.
    All,
    /// The nearest gets it; the next one only when that one has not kept it. The update fails when none has it and at
    /// least one failed.
    Nearest,
}

/// What the offers of one artifact come to.
pub(super) struct Verdict {
    /// Whether it is kept, or why the update failed.
    pub(super) answer: Result<bool, String>,
    /// What the user should know though the update did not fail.
    pub(super) warnings: Vec<String>,
}

impl WritePolicy {
    /// Whether no farther tier is offered an artifact after these.
    pub(super) fn is_content(self, offers: &[Offer]) -> bool {
        self == WritePolicy::Nearest && offers.iter().any(|offer| offer.kept.is_kept())
    }

    pub(super) fn judge(self, offers: &[Offer]) -> Verdict {
        let troubles: Vec<_> = offers.iter().filter_map(|offer| Some((offer, offer.kept.trouble()?))).collect();
        let kept = offers.iter().any(|offer| offer.kept.is_kept());
        let failed = troubles.iter().any(|(offer, _)| offer.kept.is_failure());
        let fails = match self {
            WritePolicy::All => !troubles.is_empty(),
            WritePolicy::BestEffort | WritePolicy::Nearest => !kept && failed,
        };
        let fails = fails || troubles.iter().any(|(offer, _)| offer.required);
        let all: Vec<_> = troubles.iter().map(|(offer, why)| format!("`{}`: {why}", offer.tier)).collect();
        if fails {
            return Verdict { answer: Err(all.join("; ")), warnings: Vec::new() };
        }
        let answer = match self {
            WritePolicy::All => kept && offers.iter().all(|offer| offer.kept.is_kept() || !offer.kept.is_asked()),
            _ => kept,
        };
        // That a tier is left alone is said once, not for each artifact.
        let loud = troubles.iter().filter(|(offer, _)| offer.kept.is_failure());
        let warnings = loud.map(|(offer, why)| format!("`{}` did not keep the artifact: {why}", offer.tier));
        Verdict { answer: Ok(answer), warnings: warnings.collect() }
    }
}
