//! The exchange: asks the callbacks for artifacts, gives them artifacts, and turns whatever they do into a value.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::artifact::Artifact;
use super::cacher::{Cacher, Found, Restored};
use super::callbacks::Callbacks;
use super::guard::{Guard, Trouble};
use super::policy::CacheMode;
use super::trust::Trust;
use crate::host::cancel::Cancel;
use crate::text;

/// Why an artifact was not restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Miss {
    /// It is not there.
    Absent,
    /// Fetching is switched off.
    Disabled,
    /// What is there is not a whole artifact, and why.
    Corrupt(String),
    /// What is there is not signed by anyone who is trusted, and how so.
    Untrusted(String),
    /// The callback failed, and how.
    Failed(String),
    /// The callback did not answer in time.
    TimedOut,
}

impl Miss {
    /// Whether something went wrong, rather than the artifact just not being there.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Miss::Absent | Miss::Disabled)
    }
}

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Miss::Absent => f.write_str("not in the cache"),
            Miss::Disabled => f.write_str("the cache is not read"),
            Miss::Corrupt(reason) => write!(f, "the cached artifact is corrupt: {reason}"),
            Miss::Untrusted(reason) => write!(f, "the cached artifact is not trusted: {reason}"),
            Miss::Failed(reason) => write!(f, "the cache failed: {reason}"),
            Miss::TimedOut => f.write_str("the cache did not answer in time"),
        }
    }
}

/// The answer to a fetch.
#[derive(Debug)]
pub(crate) enum Lookup {
    Hit(Restored),
    Miss(Miss),
    Cancelled,
}

/// The user's callbacks with a time limit around them.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) callbacks: Option<Arc<dyn Callbacks>>,
    pub(crate) mode: CacheMode,
    pub(crate) limit: Option<Duration>,
    pub(crate) trust: Trust,
    /// Ends the wait for a fetch: cancelled with the run, by its first failure, and when nobody needs a fetch any more.
    pub(crate) cancel: Cancel,
    /// Ends the wait for an update: the caller's token. What succeeded is kept though another task has failed.
    pub(crate) interrupt: Cancel,
}

impl Exchange {
    /// Whether a fetch can hit at all.
    pub(crate) fn reads(&self) -> bool {
        self.callbacks.is_some() && self.mode.reads()
    }

    /// Whether artifacts are wanted.
    pub(crate) fn writes(&self) -> bool {
        self.callbacks.is_some() && self.mode.writes()
    }

    /// Whether it is ever asked for anything.
    pub(crate) fn transfers(&self) -> bool {
        self.reads() || self.writes()
    }

    /// Asks for the artifact of a task; what arrives is unpacked below `scratch`. What the callback remarks goes to
    /// `warn`.
    pub(crate) fn fetch(
        &self,
        guard: &mut Guard,
        name: &str,
        tag: &str,
        scratch: &Path,
        warn: &dyn Fn(String),
    ) -> Lookup {
        let Some(callbacks) = self.callbacks.clone().filter(|_| self.mode.reads()) else {
            return Lookup::Miss(Miss::Disabled);
        };
        let cacher = Cacher::new(name, tag, scratch.to_path_buf(), self.trust.clone());
        let handed = cacher.clone();
        let answer = guard.call(self.limit, &self.cancel, move || callbacks.fetch(&handed));
        cacher.take_warnings().into_iter().for_each(warn);
        match (answer, cacher.close()) {
            (Ok(true), Found::Whole(restored)) => Lookup::Hit(restored),
            (Ok(_), Found::Corrupt(reason)) => Lookup::Miss(Miss::Corrupt(reason)),
            (Ok(_), Found::Untrusted(reason)) => Lookup::Miss(Miss::Untrusted(reason)),
            (Ok(true), _) => Lookup::Miss(Miss::Failed("`fetch` said it hit, but unpacked nothing".into())),
            (Ok(false), _) => Lookup::Miss(Miss::Absent),
            (Err(Trouble::Failed(reason)), _) => Lookup::Miss(Miss::Failed(reason)),
            (Err(Trouble::TimedOut(_)), _) => Lookup::Miss(Miss::TimedOut),
            (Err(Trouble::Cancelled), _) => Lookup::Cancelled,
        }
    }

    /// Offers an artifact. `Ok(false)` when the callback did not want it. One that waits when the run is interrupted is
    /// not offered any more. What the callback remarks goes to `warn`.
    pub(crate) fn update(&self, guard: &mut Guard, artifact: &Artifact, warn: &dyn Fn(String)) -> Result<bool, String> {
        let Some(callbacks) = self.callbacks.clone().filter(|_| self.mode.writes()) else {
            return Ok(false);
        };
        if self.interrupt.is_cancelled() {
            return Err(INTERRUPTED.to_owned());
        }
        let handed = artifact.clone();
        let answer = guard.call(self.limit, &self.interrupt, move || callbacks.update(&handed));
        artifact.take_warnings().into_iter().for_each(warn);
        answer.map_err(|trouble| {
            let reason = match trouble {
                Trouble::Failed(reason) => return reason,
                Trouble::TimedOut(limit) => format!("no answer within {}", text::duration(limit)),
                Trouble::Cancelled => INTERRUPTED.to_owned(),
            };
            // The thread that is left behind may hold it for ever.
            artifact.discard();
            reason
        })
    }
}

const INTERRUPTED: &str = "the run was interrupted";
