//! The victims: the objects that a store needs least, out of any number of them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::config::Eviction;
use super::entry::Entry;

/// An object that may go.
#[derive(Debug)]
pub(super) struct Victim {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) charge: u64,
    /// The larger, the sooner it goes.
    rank: f64,
}

/// The objects that have to go, as far as objects were considered: no more are kept in memory.
#[derive(Debug)]
pub(super) struct Victims {
    wanted: u64,
    most: usize,
    sum: u64,
    /// The one that goes last is on top.
    heap: BinaryHeap<Victim>,
}

/// As many victims are chosen at once when room is needed, so that memory does not depend on their number.
pub(super) const MOST: usize = 16_384;

impl Victims {
    /// The objects to go for `wanted` bytes, `most` of them.
    pub(super) fn new(wanted: u64, most: usize) -> Self {
        Self { wanted, most, sum: 0, heap: BinaryHeap::new() }
    }

    /// Considers an object.
    pub(super) fn offer(&mut self, entry: &Entry, rank: f64) {
        let needed = self.sum < self.wanted && self.heap.len() < self.most;
        if !needed && self.heap.peek().is_some_and(|last| last.rank.total_cmp(&rank).is_ge()) {
            return;
        }
        self.sum += entry.charge();
        self.heap.push(Victim { name: entry.name.clone(), size: entry.size, charge: entry.charge(), rank });
        while self.heap.len() > self.most || self.is_enough_without_last() {
            self.sum -= self.heap.pop().map_or(0, |last| last.charge);
        }
    }

    /// The victims, first the one that is needed least.
    pub(super) fn in_order(self) -> Vec<Victim> {
        self.heap.into_sorted_vec()
    }

    fn is_enough_without_last(&self) -> bool {
        self.heap.peek().is_some_and(|last| self.sum - last.charge >= self.wanted)
    }
}

/// How soon an object goes, the larger the sooner: the time since it was last used, divided by what it is worth.
///
/// That is the time that it took to build for each MiB of it. An object of which that is unknown is worth as much as one that took a
/// second for each, and nothing is worth more or less than 32 times that: whatever is not used goes at last.
pub(super) fn rank(entry: &Entry, now: u64, eviction: Eviction) -> f64 {
    let age = now.saturating_sub(entry.used) as f64;
    match eviction {
        Eviction::Lru => age,
        Eviction::Cost => age / worth(entry),
    }
}

fn worth(entry: &Entry) -> f64 {
    const MIB: f64 = 1_048_576.0;
    const MOST: f64 = 32.0;
    let Some(build_time) = entry.provenance.build_time else { return 1.0 };
    let size = entry.size.max(4096) as f64 / MIB;
    (build_time.as_secs_f64() / size).clamp(1.0 / MOST, MOST)
}

impl Ord for Victim {
    /// What goes first is the least.
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank.total_cmp(&self.rank).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Victim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Victim {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Victim {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::provenance::Provenance;

    fn entry(name: &str, size: u64, used: u64) -> Entry {
        Entry::unknown(name.into(), size, used)
    }

    fn chosen(wanted: u64, entries: &[Entry]) -> Vec<String> {
        let mut victims = Victims::new(wanted, MOST);
        entries.iter().for_each(|entry| victims.offer(entry, rank(entry, 100, Eviction::Lru)));
        victims.in_order().into_iter().map(|victim| victim.name).collect()
    }

    #[test]
    fn the_oldest_go_first_and_no_more_than_needed() {
        let entries = [entry("c", 9000, 30), entry("a", 9000, 10), entry("d", 9000, 40), entry("b", 9000, 20)];
        assert_eq!(chosen(1, &entries), ["a"]);
        assert_eq!(chosen(15_000, &entries), ["a", "b"]);
        assert_eq!(chosen(1 << 30, &entries), ["a", "b", "c", "d"]);
        assert!(chosen(0, &entries).is_empty());
    }

    #[test]
    fn a_later_find_takes_the_place_of_a_better_object() {
        assert_eq!(chosen(1, &[entry("new", 9000, 90), entry("old", 9000, 1)]), ["old"]);
        assert_eq!(chosen(10_000, &[entry("large", 90_000, 50), entry("small", 500, 1)]), ["small", "large"]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut victims = Victims::new(u64::MAX, MOST);
        (0..40_000).for_each(|used| victims.offer(&entry("x", 1, used), 40_000.0 - used as f64));
        assert_eq!(victims.heap.len(), MOST);
        assert_eq!(victims.in_order()[0].rank, 40_000.0);
    }

    #[test]
    fn what_was_dear_to_build_stays_longer() {
        let built = |size: u64, seconds: u64| {
            let mut entry = entry("x", size, 0);
            entry.provenance = Provenance::new().build_time(Duration::from_secs(seconds));
            rank(&entry, 64, Eviction::Cost)
        };
        assert_eq!(built(1 << 20, 1), rank(&entry("x", 5, 0), 64, Eviction::Cost), "unknown is a second a MiB");
        assert_eq!((built(1 << 20, 8), built(8 << 20, 8)), (8.0, 64.0));
        assert_eq!((built(1 << 20, 100_000), built(1 << 40, 1)), (2.0, 2048.0), "within limits");
    }
}
