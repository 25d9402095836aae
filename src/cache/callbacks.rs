//! Callbacks: the user's side of the cache, as one small trait and an adapter for closures.

use super::artifact::Artifact;
use super::cacher::Cacher;

/// Where artifacts come from and go to. Both methods are optional: one that is left out never hits, or keeps nothing.
///
/// The engine calls them from several threads at once. An error or panic in one is reported and counts as a miss (or
/// as not stored); it ends the run only when the [`CachePolicy`](crate::CachePolicy) says so. Every
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
