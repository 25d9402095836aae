//! The clock of a store: the wall's, but it never runs back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use super::entry::micros;

/// Gives times in microseconds since 1970, each later than the one before and than all that the ledger has seen.
///
/// What was used last has to have the latest time, also after somebody has set the wall clock back.
#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time that the ledger knew, at `started`.
    base: u64,
    started: Instant,
    last: AtomicU64,
}

impl Clock {
    pub(super) fn starting_at(base: u64) -> Self {
        Self { base, started: Instant::now(), last: AtomicU64::new(base) }
    }

    pub(super) fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let now = micros(SystemTime::now()).max(self.base.saturating_add(elapsed));
        let next = |last: u64| now.max(last.saturating_add(1));
        let before = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_the_future_that_the_store_has_seen() {
        let future = micros(SystemTime::now()) + 3_600_000_000;
        let clock = Clock::starting_at(future);
        let times = [clock.now(), clock.now(), clock.now()];
        assert!(future < times[0] && times[0] < times[1] && times[1] < times[2]);
    }

    #[test]
    fn without_a_past_it_is_the_wall_clock() {
        let before = micros(SystemTime::now());
        assert!(Clock::starting_at(0).now() >= before);
    }
}
