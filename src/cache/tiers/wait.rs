//! The wait: how long one operation has waited for its tier, and what for.

use std::time::{Duration, Instant};

/// How often a waiting operation looks whether it should give up.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How long one operation has waited so far. Time in which it had something to do itself does not count.
#[derive(Debug, Default, Clone)]
pub(super) struct Wait {
    /// In all.
    pub(super) waited: Duration,
    /// Since something last happened.
    pub(super) idle: Duration,
    /// Bytes that have come, or gone.
    pub(super) bytes: u64,
}

impl Wait {
    /// Waits once, by `pause`, for a moment at most or until `limit` is over; its answer.
    pub(super) fn once<T>(&mut self, limit: Option<Duration>, pause: impl FnOnce(Duration) -> T) -> T {
        let left = limit.map_or(TICK, |limit| limit.saturating_sub(self.idle).min(TICK));
        let start = Instant::now();
        let answer = pause(left);
        // A process that was stopped for an hour has not waited for the tier so long.
        let passed = start.elapsed().min(left + 4 * TICK);
        self.waited += passed;
        self.idle += passed;
        answer
    }

    /// So many bytes have come or gone in all.
    pub(super) fn moved_to(&mut self, bytes: u64) {
        if bytes != self.bytes {
            (self.bytes, self.idle) = (bytes, Duration::ZERO);
        }
    }
}
