//! The counts: everything that a server remembers of the requests that it has answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::timeline::{Scale, Timeline};

/// A day by minutes.
pub(in crate::server) const MINUTES: Scale = Scale { span: 60, keep: 24 * 60 };

/// 30 days by hours.
pub(in crate::server) const HOURS: Scale = Scale { span: 60 * 60, keep: 30 * 24 };

/// 30 days, for what is counted of each subject.
pub(in crate::server) const DAYS: Scale = Scale { span: 24 * 60 * 60, keep: 30 };

/// How many subjects are counted each for itself.
const SUBJECTS: usize = 2000;

/// The longest subject that is kept, in bytes.
const LONGEST: usize = 200;

/// Counts by time, and by what was asked for. It is bounded, whatever strangers ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::server) struct Counts {
    pub(in crate::server) minutes: Timeline,
    pub(in crate::server) hours: Timeline,
    /// By the [subject](super::subject) of a name.
    subjects: BTreeMap<String, Timeline>,
}

impl Counts {
    /// Counts something. A subject is known from the first time on that there was something of it: who asks for what never
    /// was does not fill the books.
    pub(in crate::server) fn count(&mut self, subject: Option<&str>, now: u64, tally: Tally) {
        self.minutes.count(MINUTES, now, tally);
        self.hours.count(HOURS, now, tally);
        let Some(subject) = subject else { return };
        if let Some(days) = self.subjects.get_mut(subject) {
            days.count(DAYS, now, tally);
        } else if tally.misses == 0 && subject.len() <= LONGEST && self.subjects.len() < SUBJECTS {
            self.subjects.entry(subject.to_owned()).or_default().count(DAYS, now, tally);
        }
    }

    /// What was counted of a subject in the last 30 days.
    pub(in crate::server) fn of(&self, subject: &str, now: u64) -> Tally {
        self.subjects.get(subject).map_or(Tally::default(), |days| days.last(DAYS, now, DAYS.span * DAYS.keep))
    }

    /// Drops what is too old, and subjects of which nothing is left.
    pub(super) fn trim(&mut self, now: u64) {
        self.minutes.trim(MINUTES, now);
        self.hours.trim(HOURS, now);
        self.subjects.values_mut().for_each(|days| days.trim(DAYS, now));
        self.subjects.retain(|_, days| !days.is_empty());
    }

    /// Adds what another server has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        self.minutes.merge(&other.minutes);
        self.hours.merge(&other.hours);
        for (subject, days) in &other.subjects {
            self.subjects.entry(subject.clone()).or_default().merge(days);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    #[test]
    fn what_never_was_has_no_subject() {
        let (now, mut counts) = (100 * DAY, Counts::default());
        counts.count(Some("shop-zlib"), now, Tally::MISS);
        assert_eq!(counts.of("shop-zlib", now), Tally::default());
        counts.count(Some("shop-zlib"), now, Tally::STORED);
        counts.count(Some("shop-zlib"), now, Tally::MISS);
        counts.count(Some("shop-zlib"), now, Tally::HIT);
        assert_eq!(counts.of("shop-zlib", now), Tally { hits: 1, misses: 1, stored: 1 });
        assert_eq!(counts.minutes.last(MINUTES, now, 60), Tally { hits: 1, misses: 2, stored: 1 });
    }

    #[test]
    fn subjects_are_bounded_and_old_ones_go() {
        let mut counts = Counts::default();
        for number in 0..SUBJECTS + 10 {
            counts.count(Some(&format!("s{number}")), 100, Tally::HIT);
        }
        assert_eq!(counts.subjects.len(), SUBJECTS);
        counts.trim(100 + 31 * DAY);
        counts.count(Some("late"), 100 + 31 * DAY, Tally::HIT);
        assert_eq!((counts.subjects.len(), counts.of("late", 100 + 31 * DAY).hits), (1, 1));
    }
}
