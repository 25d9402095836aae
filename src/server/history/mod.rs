//! The history: how often there was what clients have asked for, over the last 30 days.
//!
//! It is counted in memory, and kept in a small file every now and then (`docs/server.md` has its format).

mod counts;
mod slot;
mod tally;
mod timeline;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) use self::counts::{Counts, HOURS, MINUTES};
use self::slot::Slot;
pub(super) use self::tally::Tally;
pub(super) use self::timeline::{Scale, Timeline};
use super::event::{Event, Observer};
use super::name::Name;

/// How often it is kept: what a kill can lose.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// The history of a site.
#[derive(Debug)]
pub(super) struct History {
    counts: Mutex<Counts>,
    slot: Option<Slot>,
    /// Whether something was counted that is not kept yet.
    is_news: AtomicBool,
    /// Whether it was told that it cannot be kept.
    has_told: AtomicBool,
    observer: Observer,
}

impl History {
    /// Goes on with what is kept in a directory. Where that cannot be, it says so, and counts in memory.
    pub(super) fn open(dir: Option<&Path>, observer: Observer) -> Self {
        let mut history = Self {
            counts: Mutex::default(),
            slot: None,
            is_news: AtomicBool::new(false),
            has_told: AtomicBool::new(false),
            observer,
        };
        match dir.map(Slot::take) {
            Some(Ok((slot, counts))) => {
                history.slot = Some(slot);
                history.counts = Mutex::new(counts);
            }
            Some(Err(error)) => history.complain(&error),
            None => {}
        }
        history
    }

    /// An object was asked for, and was there or not.
    pub(super) fn asked(&self, name: &Name, hit: bool) {
        self.count(name, if hit { Tally::HIT } else { Tally::MISS });
    }

    /// An object was put, and was kept.
    pub(super) fn stored(&self, name: &Name) {
        self.count(name, Tally::STORED);
    }

    /// All that is known, with what other servers of the same directory have kept. It reads files.
    pub(super) fn all(&self) -> Counts {
        let others = self.slot.as_ref().map(Slot::others).unwrap_or_default();
        let mut all = self.counts().clone();
        others.iter().for_each(|other| all.merge(other));
        all
    }

    /// Drops what is too old, and keeps what was counted since it was last kept. It writes a file.
    pub(super) fn keep(&self) {
        self.counts().trim(now());
        let Some(slot) = self.slot.as_ref().filter(|_| self.is_news.swap(false, Ordering::Relaxed)) else { return };
        let counts = self.counts().clone();
        match slot.keep(&counts) {
            Ok(()) => self.has_told.store(false, Ordering::Relaxed),
            Err(error) => {
                self.is_news.store(true, Ordering::Relaxed);
                self.complain(&error);
            }
        }
    }

    fn count(&self, name: &Name, tally: Tally) {
        self.counts().count(subject(name.as_str()), now(), tally);
        self.is_news.store(true, Ordering::Relaxed);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that it cannot be kept, once until it can.
    fn complain(&self, error: &std::io::Error) {
        if !self.has_told.swap(true, Ordering::Relaxed) {
            self.observer.tell(|| Event::History { problem: error.to_string() });
        }
    }
}

/// What an object is counted as: `shop-zlib` for the artifacts of a task, `bazel~` for all of another protocol.
pub(super) fn subject(name: &str) -> Option<&str> {
    if let Some((namespace, _)) = name.split_once('~') {
        return name.get(..=namespace.len());
    }
    let (task, shasum) = name.strip_suffix(".tar.gz")?.rsplit_once('-')?;
    (shasum.len() == 64 && shasum.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(task)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_by_task_or_protocol() {
        let shasum = "0a".repeat(32);
        assert_eq!(subject(&format!("shop-zlib-{shasum}.tar.gz")), Some("shop-zlib"));
        assert_eq!(subject("bazel~ac~2f00"), Some("bazel~"));
        for odd in ["x", "shop-zlib.tar.gz", "shop-zlib-0a.tar.gz", &format!("shop-zlib-{shasum}"), ""] {
            assert_eq!(subject(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_restart_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let name = Name::within("bazel", "ac/00");
        let history = History::open(Some(dir.path()), Observer::default());
        history.stored(&name);
        history.asked(&name, true);
        history.keep();
        drop(history);
        let history = History::open(Some(dir.path()), Observer::default());
        assert_eq!(history.all().of("bazel~", now()), Tally { hits: 1, misses: 0, stored: 1 });
    }

    #[test]
    fn what_cannot_be_kept_is_counted_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = std::sync::Arc::new(AtomicBool::new(false));
        let tell = told.clone();
        let observer =
            Observer::new(move |event| tell.store(matches!(event, Event::History { .. }), Ordering::Relaxed));
        let history = History::open(Some(&file), observer);
        history.asked(&Name::within("bazel", "x"), true);
        history.keep();
        assert_eq!((history.all().of("bazel~", now()).hits, told.load(Ordering::Relaxed)), (1, true));
    }
}
