//! The line: a tier in use. Whoever wants something of it gets a place, a pass and a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

use super::breaker::{Admission, Breaker, Pass};
use super::fault::Fault;
use super::permits::{Permit, Permits};
use super::tier::Tier;
use super::wait::Wait;
use crate::cache::cacher::Cacher;
use crate::cache::guard::caught;
use crate::cache::remarks::Remark;
use crate::cache::store::{PROBE, Store};

/// A tier, and what is known of it in this process.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) tier: Tier,
    pub(super) breaker: Arc<Breaker>,
    permits: Permits,
}

/// One visit to a tier: a place among those that it bears at once, and the time that it has waited.
pub(super) struct Visit<'l> {
    line: &'l Line,
    pub(super) pass: Arc<Pass>,
    pub(super) wait: Wait,
    _permit: Permit<'l>,
}

/// Something that an operation moves along while it runs, so that whoever waits sees it move.
pub(super) type Progress = Arc<AtomicU64>;

impl Line {
    pub(super) fn new(tier: Tier) -> Self {
        let breaker = Arc::new(Breaker::new(&tier.settings));
        let permits = Permits::new(tier.settings.concurrency);
        Self { tier, breaker, permits }
    }

    /// A visit, as soon as there is room for it; `None` while the tier is left alone.
    pub(super) fn visit(&self) -> Option<Visit<'_>> {
        let permit = self.permits.take(|| self.breaker.is_closed())?;
        match self.breaker.admit() {
            Admission::Granted(pass) => {
                Some(Visit { line: self, pass: Arc::new(pass), wait: Wait::default(), _permit: permit })
            }
            Admission::Probe => {
                self.probe();
                None
            }
            Admission::Left => None,
        }
    }

    /// Finds out whether the tier answers, on a thread that nobody waits for.
    fn probe(&self) {
        let (store, breaker) = (self.tier.store.clone(), self.breaker.clone());
        let ask = move || breaker.probed(caught(|| store.has(PROBE)).is_ok());
        if thread::Builder::new().name("cortado probe".into()).spawn(ask).is_err() {
            self.breaker.probed(false);
        }
    }
}

impl Visit<'_> {
    /// Asks the store for one thing. With a time-out that happens on a thread of its own, which is left behind when it
    /// takes too long.
    pub(super) fn call<T, F>(&mut self, moved: &Progress, operation: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> anyhow::Result<T> + Send + 'static,
    {
        let limit = self.pass.limit();
        let store = self.line.tier.store.clone();
        let operation = move || asked(limit, || operation(&*store));
        if limit.is_none() {
            return operation();
        }
        let (send, receive) = sync_channel(1);
        let started = thread::Builder::new().name("cortado tier".into()).spawn(move || _ = send.send(operation()));
        started.map_err(|error| Fault::Failed(format!("could not start a thread: {error}")))?;
        self.wait.idle = Default::default();
        loop {
            match self.wait.once(limit, |moment| receive.recv_timeout(moment)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Failed("it ended without an answer".into())),
                Err(RecvTimeoutError::Timeout) => self.wait.moved_to(moved.load(Ordering::Relaxed)),
            }
            self.pass.bear(&self.wait)?;
        }
    }

    /// The visit was worth it.
    pub(super) fn succeed(&self) {
        self.pass.succeed();
    }

    /// The visit came to nothing. What the run is to be told, if the tier is left alone from now on.
    pub(super) fn fail(&self, fault: &Fault) -> Option<Remark> {
        let reason = self.pass.fail(fault, &self.wait)?;
        Some(Remark::Left { tier: self.line.tier.name.clone(), reason })
    }

    /// Like [`fail`](Visit::fail), said to whoever asked for an artifact.
    pub(super) fn fail_for(&self, fault: &Fault, cacher: &Cacher) {
        if let Some(left) = self.fail(fault) {
            cacher.remark(left);
        }
    }
}

/// Runs an operation of a store; errors and panics are faults.
pub(super) fn asked<T>(
    limit: Option<std::time::Duration>,
    operation: impl FnOnce() -> anyhow::Result<T>,
) -> Result<T, Fault> {
    match caught(|| Ok(operation().map_err(|error| Fault::of(&error, limit)))) {
        Ok(answer) => answer,
        Err(crate::cache::guard::Trouble::Failed(reason)) => Err(Fault::Failed(reason)),
        Err(_) => Err(Fault::Failed("it ended without an answer".into())),
    }
}
