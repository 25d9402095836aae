//! Attempts: how often somebody may fail to log in, and how often they may ask at all.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many are looked after at once; the most forgotten ones go first.
const MOST: usize = 16_384;

/// A number of turns that everybody has in a span of time, used up one by one.
#[derive(Debug)]
pub(super) struct Turns<K> {
    limit: u32,
    span: Duration,
    used: Mutex<HashMap<K, (u32, Instant)>>,
}

impl<K: Hash + Eq + Clone> Turns<K> {
    pub(super) fn new(limit: u32, span: Duration) -> Self {
        Self { limit, span, used: Mutex::default() }
    }

    /// How long to wait for the next turn, where there is none left.
    pub(super) fn wait(&self, who: &K, now: Instant) -> Option<Duration> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = used.get(who)?;
        let left = self.span.checked_sub(now.saturating_duration_since(*since))?;
        (*count >= self.limit && !left.is_zero()).then_some(left)
    }

    /// Takes a turn.
    pub(super) fn take(&self, who: &K, now: Instant) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST {
            used.retain(|_, (_, since)| now.saturating_duration_since(*since) < self.span);
        }
        if used.len() >= MOST {
            used.clear();
        }
        let (count, since) = used.entry(who.clone()).or_insert((0, now));
        if now.saturating_duration_since(*since) >= self.span {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_back_with_time() {
        let (turns, start) = (Turns::new(2, Duration::from_secs(60)), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(turns.wait(&"a", start), None);
        turns.take(&"a", start);
        assert_eq!(turns.wait(&"a", later(1)), None);
        turns.take(&"a", later(1));
        assert_eq!(turns.wait(&"a", later(20)), Some(Duration::from_secs(40)));
        assert_eq!(turns.wait(&"b", later(20)), None);
        assert_eq!(turns.wait(&"a", later(60)), None);
        turns.take(&"a", later(60));
        assert_eq!(turns.wait(&"a", later(61)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let (turns, now) = (Turns::new(1, Duration::from_secs(60)), Instant::now());
        (0..40_000).for_each(|who| turns.take(&who, now));
        assert!(turns.used.lock().unwrap().len() <= MOST);
    }
}
