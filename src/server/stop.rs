//! The handle that stops a server from outside of it.

use std::sync::Arc;

use tokio::sync::watch;

/// How far a server is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It serves.
    Open,
    /// It takes no new requests, and finishes those that it has.
    Closing,
    /// It breaks off what is left.
    Ended,
}

/// Stops a server. Clones are one handle; calling it again does no harm.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<Phase>>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Open)))
    }

    /// Takes no new requests, and ends the server when those that it has are done.
    pub fn stop(&self) {
        self.raise(Phase::Closing);
    }

    /// Breaks off what is on its way. Nothing of an unfinished upload is kept.
    pub fn abort(&self) {
        self.raise(Phase::Ended);
    }

    fn raise(&self, phase: Phase) {
        self.0.send_if_modified(|now| std::mem::replace(now, phase.max(*now)) < phase);
    }

    /// Waits until it is that far.
    pub(super) async fn reached(&self, phase: Phase) {
        let mut phases = self.0.subscribe();
        // The sender is in `self`, so it is not gone.
        _ = phases.wait_for(|now| *now >= phase).await;
    }
}
