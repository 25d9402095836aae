//! A timeline: tallies of the last spans of time, all of one length.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tally::Tally;

/// The tallies by span: the number of a span is its beginning, in seconds since 1970, divided by its length.
///
/// How long a span is, and how many of them are kept, is said with every call: it is not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::server) struct Timeline(BTreeMap<u64, Tally>);

/// How a timeline is cut.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Scale {
    /// Seconds of a span.
    pub(in crate::server) span: u64,
    /// Spans that are kept.
    pub(in crate::server) keep: u64,
}

impl Timeline {
    /// Counts something that happens now, and drops what is too old. What a clock that was wrong has left in the future goes, too.
    pub(super) fn count(&mut self, scale: Scale, now: u64, tally: Tally) {
        let number = now / scale.span;
        if let Some(known) = self.0.get_mut(&number) {
            return known.add(tally);
        }
        self.trim(scale, now);
        self.0.insert(number, tally);
    }

    /// Drops what lies outside of the time that is kept.
    pub(super) fn trim(&mut self, scale: Scale, now: u64) {
        let number = now / scale.span;
        self.0.retain(|span, _| *span <= number && number - span < scale.keep);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the tallies of another timeline of the same scale.
    pub(super) fn merge(&mut self, other: &Self) {
        for (number, tally) in &other.0 {
            self.0.entry(*number).or_default().add(*tally);
        }
    }

    /// What was counted in the last `seconds`, the current span included.
    pub(in crate::server) fn last(&self, scale: Scale, now: u64, seconds: u64) -> Tally {
        let (first, last) = (now.saturating_sub(seconds) / scale.span + 1, now / scale.span);
        self.sum(first, last)
    }

    /// What was counted from a moment on, for a while. Both are multiples of a span.
    pub(in crate::server) fn between(&self, scale: Scale, begin: u64, seconds: u64) -> Tally {
        let first = begin / scale.span;
        self.sum(first, (first + seconds / scale.span).saturating_sub(1))
    }

    fn sum(&self, first: u64, last: u64) -> Tally {
        let mut sum = Tally::default();
        if first <= last {
            self.0.range(first..=last).for_each(|(_, tally)| sum.add(*tally));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: Scale = Scale { span: 60, keep: 3 };

    fn line(times: &[u64]) -> Timeline {
        let mut line = Timeline::default();
        times.iter().for_each(|time| line.count(MINUTES, *time, Tally::HIT));
        line
    }

    #[test]
    fn what_is_too_old_is_dropped() {
        let line = line(&[60, 61, 119, 120, 180, 240]);
        assert_eq!(line.last(MINUTES, 250, 10_000).hits, 3);
        assert_eq!(line.last(MINUTES, 250, 120).hits, 2);
        assert_eq!(line.between(MINUTES, 120, 120).hits, 2);
    }

    #[test]
    fn a_clock_that_was_wrong_leaves_nothing_behind() {
        let line = line(&[9_999_999, 60]);
        assert_eq!((line.0.len(), line.last(MINUTES, 60, 60).hits), (1, 1));
    }

    #[test]
    fn two_servers_count_together() {
        let mut sum = line(&[60, 120]);
        sum.merge(&line(&[121]));
        assert_eq!((sum.last(MINUTES, 130, 60).hits, sum.last(MINUTES, 130, 130).hits), (2, 3));
    }
}
