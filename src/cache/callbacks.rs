//! Callbacks: the user's side of the cache, as one small trait and an adapter for closures.

use super::artifact::Artifact;
use super::cacher::Cacher;
use super::claim::{Claim, Claimed};
use super::policy::CachePolicy;

/// Where artifacts come from and go to. Every method is optional: without `fetch` nothing ever hits, without `update`
/// nothing is kept, and the others are for callbacks that know more than one place.
///
/// The engine calls them from several threads at once. An error or panic in one is reported and counts as a miss (or
/// as not stored); it ends the run only when the [`CachePolicy`] says so. Every
/// [`Store`](crate::Store) is callbacks too.
pub trait Callbacks: Send + Sync {
    /// Looks for the artifact that `cacher` names and hands it to [`Cacher::unpack`]. `true` for a hit.
    ///
    /// # Errors
    /// Whatever kept it from answering; "it is not there" is `Ok(false)`.
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        _ = cacher;
        Ok(false)
    }

    /// Keeps a freshly built artifact. `true` when it is kept.
    ///
    /// # Errors
    /// Whatever kept it from keeping the artifact.
    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        _ = artifact;
        Ok(false)
    }

    /// Asked once in each run that has something to do, before its first task. An error ends the run there, with the
    /// exit code of a failed cache, before hours of building: say it only of what has to answer, by your own settings
    /// or by `policy`.
    ///
    /// # Errors
    /// Why a cache that is required is of no use.
    fn ready(&self, policy: CachePolicy) -> anyhow::Result<()> {
        _ = policy;
        Ok(())
    }

    /// Whether an artifact has to be kept whatever the run's policy, so that a task is done only when it is. Which failures
    /// then end the run is for the callbacks to say, in what [`update`](Callbacks::update) answers.
    fn requires_write(&self) -> bool {
        false
    }

    /// Asked before a task is built whose fetch missed, so that of many runs only one builds it: see [`Claim`]. It may
    /// wait, on the worker's own time and without the limit of `fetch`, until the claim is cancelled.
    ///
    /// # Errors
    /// Whatever kept it from finding out; a warning, and the task is built.
    fn claim(&self, claim: &Claim<'_>) -> anyhow::Result<Claimed> {
        _ = claim;
        Ok(Claimed::Build)
    }

    /// Called exactly once for each claim that was answered with [`Claimed::Build`] or an error, as soon as the task's
    /// artifact is kept or it is certain that there will be none.
    fn release(&self, tag: &str) {
        _ = tag;
    }

    /// The names of the tiers that a fetch may ask, nearest first; empty where there is but one place.
    fn tiers(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Two closures as [`Callbacks`]. Made by [`closures`].
#[derive(Clone, Copy)]
pub struct Closures<F, U> {
    fetch: F,
    update: U,
}

/// Callbacks from two closures.
///
/// ```
/// let callbacks = cortado::closures(
///     |cacher| cacher.unpack(format!("/var/cache/shop/{}", cacher.filename())),
///     |artifact| artifact.copy_to("/var/cache/shop"),
/// );
/// ```
pub fn closures<F, U>(fetch: F, update: U) -> Closures<F, U>
where
    F: Fn(&Cacher) -> anyhow::Result<bool> + Send + Sync,
    U: Fn(&Artifact) -> anyhow::Result<bool> + Send + Sync,
{
    Closures { fetch, update }
}

impl<F, U> Callbacks for Closures<F, U>
where
    F: Fn(&Cacher) -> anyhow::Result<bool> + Send + Sync,
    U: Fn(&Artifact) -> anyhow::Result<bool> + Send + Sync,
{
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        (self.fetch)(cacher)
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        (self.update)(artifact)
    }
}

impl<F, U> std::fmt::Debug for Closures<F, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Closures")
    }
}
