//! The exchange: asks the callbacks for artifacts, gives them artifacts, and turns whatever they do into a value.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::artifact::Artifact;
use super::cacher::{Cacher, Found, Restored};
use super::callbacks::Callbacks;
use super::claim::{Claim, Claimed};
use super::guard::{Guard, Trouble, caught};
use super::look::{Look, SOLE_TIER};
use super::miss::Miss;
use super::offer::{Kept, Offer};
use super::policy::{CacheMode, CachePolicy};
use super::remarks::Remark;
use super::trust::Trust;
use super::turn::Turn;
use crate::host::cancel::Cancel;
use crate::text;

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

    /// Asks for the artifact of a task; what arrives is unpacked below `scratch`. What the callback has to say beside its
    /// answer, and which tiers it asked, goes to `remark`.
    pub(crate) fn fetch(
        &self,
        guard: &mut Guard,
        name: &str,
        tag: &str,
        scratch: &Path,
        remark: &dyn Fn(Remark),
    ) -> Lookup {
        let Some(callbacks) = self.callbacks.clone().filter(|_| self.mode.reads()) else {
            return Lookup::Miss(Miss::Disabled);
        };
        let start = Instant::now();
        let cacher = Cacher::new(name, tag, scratch.to_path_buf(), self.trust.clone());
        let handed = cacher.clone();
        let answer = guard.call(self.limit, &self.cancel, move || callbacks.fetch(&handed));
        let remarks = cacher.take_remarks();
        let lookup = lookup(answer, cacher.close(), &remarks);
        if looks(&remarks).next().is_none() {
            let look = |miss| Look::sole(miss, cacher.bytes(), start.elapsed(), cacher.origin());
            match &lookup {
                Lookup::Hit(_) => remark(Remark::Looked(look(None))),
                Lookup::Miss(miss) => remark(Remark::Looked(look(Some(miss.clone())))),
                Lookup::Cancelled => {}
            }
        }
        remarks.into_iter().for_each(remark);
        lookup
    }

    /// The names of the tiers, nearest first; none where there are no callbacks.
    pub(crate) fn tiers(&self) -> Vec<String> {
        let Some(callbacks) = &self.callbacks else { return Vec::new() };
        let tiers = caught(|| Ok(callbacks.tiers())).unwrap_or_default();
        if tiers.is_empty() { vec![SOLE_TIER.to_owned()] } else { tiers }
    }

    /// Whether some place has to keep what is built, whatever the policy.
    pub(crate) fn requires_write(&self) -> bool {
        let requires = |callbacks: &Arc<dyn Callbacks>| caught(|| Ok(callbacks.requires_write())).unwrap_or(false);
        self.writes() && self.callbacks.as_ref().is_some_and(requires)
    }

    /// The looks of a task whose artifact is not asked for at all, since the mode says so.
    pub(crate) fn pass_over(&self, remark: &dyn Fn(Remark)) {
        if self.mode.reads() {
            return;
        }
        let miss = if self.mode == CacheMode::Recache { Miss::Recached } else { Miss::Disabled };
        self.tiers().iter().for_each(|tier| remark(Remark::Looked(Look::missed((**tier).into(), miss.clone()))));
    }

    /// Offers an artifact. `Ok(false)` when the callback did not want it. One that waits when the run is interrupted is
    /// not offered any more. What the callback has to say beside its answer, and which tiers it offered the artifact to,
    /// goes to `remark`.
    pub(crate) fn update(
        &self,
        guard: &mut Guard,
        artifact: &Artifact,
        remark: &dyn Fn(Remark),
    ) -> Result<bool, String> {
        let Some(callbacks) = self.callbacks.clone().filter(|_| self.mode.writes()) else {
            return Ok(false);
        };
        if self.interrupt.is_cancelled() {
            return Err(INTERRUPTED.to_owned());
        }
        let start = Instant::now();
        let handed = artifact.clone();
        let answer = guard.call(self.limit, &self.interrupt, move || callbacks.update(&handed));
        let remarks = artifact.take_remarks();
        let result = answer.map_err(|trouble| {
            let reason = match trouble {
                Trouble::Failed(reason) => return reason,
                Trouble::TimedOut(limit) => format!("no answer within {}", text::duration(limit)),
                Trouble::Cancelled => INTERRUPTED.to_owned(),
            };
            // The thread that is left behind may hold it for ever.
            artifact.discard();
            reason
        });
        if !remarks.iter().any(|remark| matches!(remark, Remark::Offered(_))) {
            remark(Remark::Offered(Offer::sole(kept(&result), artifact.size(), start.elapsed())));
        }
        remarks.into_iter().for_each(remark);
        result
    }

    /// Whether the cache is as a run of this policy needs it.
    pub(crate) fn ready(&self, policy: CachePolicy) -> Result<(), Trouble> {
        match self.callbacks.clone().filter(|_| self.mode != CacheMode::Off) {
            Some(callbacks) => Guard::default().call(self.limit, &self.interrupt, move || callbacks.ready(policy)),
            None => Ok(()),
        }
    }

    /// Asks for the right to build what a fetch did not find; `None` when it is to be fetched again. `waiting` is told
    /// whom that waits for.
    pub(crate) fn claim(
        &self,
        tag: &str,
        round: usize,
        waiting: &(dyn Fn(&str) + Sync),
        remark: &(dyn Fn(Remark) + Sync),
    ) -> Option<Turn> {
        let callbacks = self.callbacks.clone()?;
        match caught(|| callbacks.claim(&Claim::new(tag, round, &self.cancel, waiting, remark))) {
            Ok(Claimed::Look) => return None,
            Ok(Claimed::Build) => {}
            Err(Trouble::Failed(reason)) => {
                remark(Remark::Warning(format!("could not find out who else builds it: {reason}")));
            }
            Err(_) => {}
        }
        Some(Turn { callbacks, tag: tag.to_owned() })
    }
}

/// What the answer of a fetch comes to.
fn lookup(answer: Result<bool, Trouble>, found: Found, remarks: &[Remark]) -> Lookup {
    Lookup::Miss(match (answer, found) {
        (Ok(true), Found::Whole(restored)) => return Lookup::Hit(restored),
        (Err(Trouble::Cancelled), _) => return Lookup::Cancelled,
        (Ok(_), Found::Corrupt(_) | Found::Untrusted(_)) if looks(remarks).next().is_some() => {
            Look::verdict(looks(remarks))
        }
        (Ok(_), Found::Corrupt(reason)) => Miss::Corrupt(reason),
        (Ok(_), Found::Untrusted(reason)) => Miss::Untrusted(reason),
        (Ok(true), _) => Miss::Failed("`fetch` said it hit, but unpacked nothing".into()),
        (Ok(false), _) => Look::verdict(looks(remarks)),
        (Err(Trouble::Failed(reason)), _) => Miss::Failed(reason),
        (Err(Trouble::TimedOut(_)), _) => Miss::TimedOut,
    })
}

fn looks(remarks: &[Remark]) -> impl Iterator<Item = &Look> {
    remarks.iter().filter_map(|remark| match remark {
        Remark::Looked(look) => Some(look),
        _ => None,
    })
}

/// What became of an offer to callbacks that have no tiers.
fn kept(result: &Result<bool, String>) -> Kept {
    match result {
        Ok(true) => Kept::Stored,
        Ok(false) => Kept::Declined("`update` did not want it".into()),
        Err(reason) => Kept::Failed(reason.clone()),
    }
}

const INTERRUPTED: &str = "the run was interrupted";
