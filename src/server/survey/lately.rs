//! What was lately seen of the whole store, and is made anew when somebody wants it and it is old.
//!
//! A store of 200,000 objects takes a while to look at, so it is not done for each request. How old what was seen may get depends
//! on how long it took, so that many requests take a small part of a processor at most.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::Store;
use crate::server::problem::Problem;
use crate::server::site::Site;

/// How old something is at least before it is made anew, and at the most.
const YOUNG: Duration = Duration::from_secs(1);
const OLD: Duration = Duration::from_secs(600);

/// It may get that many times as old as it took to make.
const SHARE: u32 = 20;

/// How long somebody waits for something new who could have the last one.
const PATIENCE: Duration = Duration::from_millis(250);

/// Something that is found out by looking at everything in the store.
pub(in crate::server) trait Seen: Sized + Send + Sync + 'static {
    /// Looks at everything.
    ///
    /// # Errors
    /// When the store cannot be listed.
    fn look(store: &dyn Store) -> anyhow::Result<Self>;

    /// Where the site keeps it.
    fn of(site: &Site) -> &Lately<Self>;
}

/// The last one of its kind.
#[derive(Debug)]
pub(in crate::server) struct Lately<T> {
    last: Mutex<Option<Arc<Made<T>>>>,
    /// Of many who look, one does.
    turn: tokio::sync::Mutex<()>,
}

/// Something that was made, with its time.
#[derive(Debug)]
pub(in crate::server) struct Made<T> {
    pub(in crate::server) seen: T,
    /// When the look began.
    pub(in crate::server) begun: Instant,
    took: Duration,
}

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self { last: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<T: Seen> Lately<T> {
    /// A new one, or the last one while the next is being made.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(in crate::server) async fn seen(site: &Arc<Site>) -> Result<Arc<Made<T>>, Problem> {
        let last = T::of(site).last();
        if let Some(fresh) = last.as_ref().filter(|made| made.is_fresh()) {
            return Ok(fresh.clone());
        }
        let making = tokio::spawn(Self::make(site.clone()));
        let failed = |error: tokio::task::JoinError| Problem::store_failed(&error.into());
        match last {
            None => making.await.map_err(failed)?,
            Some(last) => match timeout(PATIENCE, making).await {
                Ok(made) => made.map_err(failed)?,
                Err(_) => Ok(last),
            },
        }
    }

    async fn make(site: Arc<Site>) -> Result<Arc<Made<T>>, Problem> {
        let lately = T::of(&site);
        let _turn = lately.turn.lock().await;
        if let Some(fresh) = lately.last().filter(|made| made.is_fresh()) {
            return Ok(fresh);
        }
        let begun = Instant::now();
        let seen = site.shelf.work(T::look).await?;
        let made = Arc::new(Made { seen, begun, took: begun.elapsed() });
        *lately.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    fn last(&self) -> Option<Arc<Made<T>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T> Made<T> {
    fn is_fresh(&self) -> bool {
        self.age() < self.took.saturating_mul(SHARE).clamp(YOUNG, OLD)
    }

    /// How long ago it was begun.
    pub(in crate::server) fn age(&self) -> Duration {
        self.begun.elapsed()
    }
}
