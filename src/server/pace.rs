//! The pace: whether a client that is waited for is worth waiting for.

use std::time::Duration;

/// What is as good as for ever.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// How fast a client has been lately, counting only time in which it was waited for.
///
/// Time is cut into windows: whoever was quick for an hour gets no hour of silence for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long a client may do nothing at all, and over how long its pace is measured.
    window: Duration,
    /// The bytes that have to move in a window.
    needed: u64,
    waited: Duration,
    moved: u64,
}

impl Pace {
    /// `rate` is in bytes a second; 0 for any. Nobody is waited for longer than a year, which clocks can count.
    pub(super) fn new(window: Duration, rate: u64) -> Self {
        let window = window.min(YEAR);
        let needed = (window.as_secs_f64() * rate as f64) as u64;
        Self { window, needed, waited: Duration::ZERO, moved: 0 }
    }

    /// How long a client may do nothing at all.
    pub(super) fn patience(&self) -> Duration {
        self.window
    }

    /// How many bytes, `most` at the most, whoever keeps the pace moves in half of the time in which they may do nothing.
    /// Where any pace will do, that is half of `most`.
    pub(super) fn piece(&self, most: usize) -> usize {
        match usize::try_from(self.needed / 2) {
            Ok(0) if self.needed == 0 => most / 2,
            Ok(half) => half.clamp(1, most),
            Err(_) => most,
        }
    }

    /// Counts that a client was waited for, and that so many bytes came of it. Whether it is still worth it.
    pub(super) fn keeps(&mut self, waited: Duration, moved: u64) -> bool {
        (self.waited, self.moved) = (self.waited + waited, self.moved.saturating_add(moved));
        if self.waited < self.window {
            return true;
        }
        let kept = self.moved >= self.needed;
        (self.waited, self.moved) = (Duration::ZERO, 0);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn whoever_drips_is_found_out_when_the_window_is_over() {
        let mut pace = Pace::new(10 * SECOND, 100);
        let kept: Vec<_> = (0..12).map(|_| pace.keeps(SECOND, 99)).collect();
        assert_eq!(kept.iter().position(|kept| !kept), Some(9));
    }

    #[test]
    fn whoever_is_quick_is_not_and_gets_no_credit() {
        let mut pace = Pace::new(10 * SECOND, 100);
        assert!((0..100).all(|_| pace.keeps(SECOND, 100)));
        assert!(pace.keeps(SECOND, 1 << 40) && pace.keeps(9 * SECOND, 0));
        assert!(!pace.keeps(10 * SECOND, 999));
    }

    #[test]
    fn a_piece_is_moved_in_time() {
        let piece = |rate| Pace::new(10 * SECOND, rate).piece(4096);
        assert_eq!([0, 1, 100, 1 << 40].map(piece), [2048, 5, 500, 4096]);
        assert_eq!(Pace::new(SECOND / 1000, 1).piece(4096), 2048);
    }

    #[test]
    fn time_in_which_nobody_waits_does_not_count() {
        let mut pace = Pace::new(10 * SECOND, 100);
        assert!((0..1_000_000).all(|_| pace.keeps(Duration::ZERO, 1)));
        let mut any = Pace::new(SECOND, 0);
        assert!(any.keeps(100 * SECOND, 0));
    }

    #[test]
    fn patience_without_end_is_a_time_that_a_clock_can_count() {
        let patience = Pace::new(Duration::MAX, 1).patience();
        assert!(std::time::Instant::now().checked_add(patience).is_some());
    }
}
