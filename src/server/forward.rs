//! Forwarding: what was uploaded here, on its way to the upstream. Nobody waits for it.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::event::Event;
use super::line::Line;
use super::name::Name;
use crate::{Kept, Put};

/// Objects that wait for their turn at the most. What comes beyond that stays here alone.
const QUEUE: u32 = 10_000;

/// What waits for the upstream, and what is on its way there.
pub(super) struct Forward {
    line: Line,
    queue: Arc<Semaphore>,
    places: Semaphore,
}

impl Forward {
    pub(super) fn new(line: Line) -> Arc<Self> {
        let (queue, places) = (Arc::new(Semaphore::new(QUEUE as usize)), Semaphore::new(line.transfers()));
        Arc::new(Self { line, queue, places })
    }

    /// Offers the upstream what was just kept here, as soon as it is its turn.
    pub(super) fn send(self: &Arc<Self>, name: &Name, put: Put) {
        let Ok(waiting) = self.queue.clone().try_acquire_owned() else {
            return self.told(name, &Kept::Failed("too many objects wait for the upstream".into()));
        };
        let (this, name) = (self.clone(), name.clone());
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _place = this.places.acquire().await;
            let by = this.clone();
            _ = spawn_blocking(move || by.offer(&name, &put)).await;
            drop(waiting);
        });
    }

    /// Removes an object upstream.
    pub(super) fn remove(&self, name: &Name) -> bool {
        self.line.far.remove(name.as_str()).unwrap_or_else(|miss| {
            let problem = format!("it could not be removed upstream: {miss}");
            self.line.observer.tell(|| Event::NotForwarded { name: name.to_string(), problem });
            false
        })
    }

    /// Waits until nothing is on its way.
    pub(super) async fn empty(&self) {
        _ = self.queue.acquire_many(QUEUE).await;
    }

    fn offer(&self, name: &Name, put: &Put) {
        let kept = match self.line.near.get(name.as_str()) {
            Ok(Some(content)) => self.line.far.offer(name.as_str(), content, put),
            // Somebody has removed it meanwhile.
            Ok(None) => return,
            Err(error) => Kept::Failed(format!("it could not be read: {error:#}")),
        };
        self.told(name, &kept);
    }

    fn told(&self, name: &Name, kept: &Kept) {
        let (result, problem) = match kept {
            Kept::Stored => ("kept", None),
            Kept::Present => ("present", None),
            Kept::Differs(how) => ("differs", Some(format!("there is another one upstream: {how}"))),
            Kept::Declined(why) => ("declined", Some(why.clone())),
            Kept::Skipped => ("skipped", Some("the upstream is left alone".into())),
            Kept::TimedOut => ("failed", Some("the upstream did not answer in time".into())),
            Kept::Failed(why) => ("failed", Some(why.clone())),
            Kept::Disabled => return,
        };
        self.line.metrics.offered_upstream(result);
        if let Some(problem) = problem {
            self.line.observer.tell(|| Event::NotForwarded { name: name.to_string(), problem });
        }
    }
}
