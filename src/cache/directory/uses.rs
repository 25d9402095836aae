//! What was used a moment ago, and need not be written down again.
//!
//! A server may be asked for one object ten thousand times a second. When it was last used is not known better after
//! as many lines in a log.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How exactly it is known when an object was last used.
const GRAIN: Duration = Duration::from_secs(1);

/// The names that were used since some moment.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Option<(Instant, HashSet<String>)>>);

impl Uses {
    /// Whether a use has to be written down: there was none of that object within a second, more or less.
    pub(super) fn is_news(&self, name: &str, now: Instant) -> bool {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, names) = match &mut *uses {
            Some(recent) if now.saturating_duration_since(recent.0) < GRAIN => recent,
            outdated => outdated.insert((now, HashSet::new())),
        };
        if names.contains(name) { false } else { names.insert(name.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_news_once_a_second() {
        let (uses, begin) = (Uses::default(), Instant::now());
        let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        assert!(uses.is_news("a", at(0.0)) && uses.is_news("b", at(0.1)));
        assert!(!uses.is_news("a", at(0.2)) && !uses.is_news("b", at(0.9)));
        assert!(uses.is_news("a", at(1.0)) && !uses.is_news("a", at(1.5)));
    }
}
