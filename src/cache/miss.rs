//! The miss: why an artifact was not restored.

use std::fmt;

use serde::Serialize;

/// Why an artifact was not restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Miss {
    /// It is not there.
    Absent,
    /// Fetching is switched off.
    Disabled,
    /// It was not looked for, since everything is built anew.
    Recached,
    /// It was not looked for, since whoever was to be asked has failed before and is left alone.
    Skipped,
    /// What is there is not a whole artifact, and why.
    Corrupt(String),
    /// What is there is whole, but nobody who is trusted vouches for it, and why.
    Untrusted(String),
    /// Whoever was asked answered that we may not have it, or refused the connection.
    Refused(String),
    /// Whoever was asked failed in another way, and how.
    Failed(String),
    /// There was no answer in time.
    TimedOut,
}

impl Miss {
    /// Whether something went wrong with this request, rather than the artifact just not being there.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Miss::Absent | Miss::Disabled | Miss::Recached | Miss::Skipped)
    }

    /// Whether all who should have been asked were asked, and answered: what a required cache has to do.
    pub(crate) fn is_certain(&self) -> bool {
        !self.is_failure() && *self != Miss::Skipped
    }

    /// Whether what is kept is of no use, so that the rebuilt artifact has to take its place.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self, Miss::Corrupt(_) | Miss::Untrusted(_))
    }

    /// How much it tells, beside others of the same fetch.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Miss::Untrusted(_) => 8,
            Miss::Corrupt(_) => 7,
            Miss::TimedOut => 6,
            Miss::Refused(_) => 5,
            Miss::Failed(_) => 4,
            Miss::Skipped => 3,
            Miss::Absent => 2,
            Miss::Recached => 1,
            Miss::Disabled => 0,
        }
    }

    /// The same, where the tier that missed is not the only one.
    pub(crate) fn in_tier(&self, tier: &str) -> Self {
        let of_tier = |reason: &String| format!("`{tier}`: {reason}");
        match self {
            Miss::Corrupt(reason) => Miss::Corrupt(of_tier(reason)),
            Miss::Untrusted(reason) => Miss::Untrusted(of_tier(reason)),
            Miss::Refused(reason) => Miss::Refused(of_tier(reason)),
            Miss::Failed(reason) => Miss::Failed(of_tier(reason)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Miss::Absent => f.write_str("not in the cache"),
            Miss::Disabled => f.write_str("the cache is not read"),
            Miss::Recached => f.write_str("everything is built anew"),
            Miss::Skipped => f.write_str("the cache has failed before and is left alone"),
            Miss::Corrupt(reason) => write!(f, "the cached artifact is corrupt: {reason}"),
            Miss::Untrusted(reason) => write!(f, "the cached artifact is not trusted: {reason}"),
            Miss::Refused(reason) => write!(f, "the cache refused: {reason}"),
            Miss::Failed(reason) => write!(f, "the cache failed: {reason}"),
            Miss::TimedOut => f.write_str("the cache did not answer in time"),
        }
    }
}
