//! The claim: a run's wish to build what its fetch did not find, so that of many runs only one does.

use std::fmt;

use super::remarks::Remark;
use crate::host::cancel::Cancel;

/// A wish to build the artifact of a tag, now: all upstreams are there, and a worker holds still for it.
///
/// Whoever answers it may wait for another run that builds the same, as long as the claim is not
/// [cancelled](Claim::is_cancelled). What makes that safe: a claim that was granted waits for nothing but the task's
/// own steps and the update of its artifact, so no two runs wait for each other.
pub struct Claim<'c> {
    tag: &'c str,
    round: usize,
    cancel: &'c Cancel,
    waiting: &'c (dyn Fn(&str) + Sync),
    remark: &'c (dyn Fn(Remark) + Sync),
}

/// The answer to a [`Claim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// Build it; nobody else does, or nobody knows.
    Build,
    /// Somebody else has just been at it: fetch again.
    Look,
}

impl<'c> Claim<'c> {
    pub(crate) fn new(
        tag: &'c str,
        round: usize,
        cancel: &'c Cancel,
        waiting: &'c (dyn Fn(&str) + Sync),
        remark: &'c (dyn Fn(Remark) + Sync),
    ) -> Self {
        Self { tag, round, cancel, waiting, remark }
    }

    /// `<prefix>-<task>-<shasum>`.
    pub fn tag(&self) -> &str {
        self.tag
    }

    /// How often this task was sent to look again, 0 at first. After some rounds it is built whatever the answer is.
    pub fn round(&self) -> usize {
        self.round
    }

    /// Whether nobody wants an answer any more.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Says that an answer takes time, and whom it waits for: `cortado build (process 4711 on mill)`.
    pub fn waits_for(&self, holder: &str) {
        (self.waiting)(holder);
    }

    /// Says something that the user should know, though it is no error: a warning of the task.
    pub fn warn(&self, text: impl Into<String>) {
        self.remark(Remark::Warning(text.into()));
    }

    pub(crate) fn remark(&self, remark: Remark) {
        (self.remark)(remark);
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("tag", &self.tag).field("round", &self.round).finish_non_exhaustive()
    }
}
