//! What is owed to the cache: the artifacts that were built here and that it has not got, so that a later run offers them
//! again. A file in the format of the state, which is there only while something is owed. Losing it costs uploads.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::debt::Debt;
use super::state::Journal;
use crate::cache::codec::{Reader, Writer};
use crate::error::Result;
use crate::host::fs::remove_tree;

/// The first byte of a key.
const DEBT: u8 = b't';
/// The key of the time before which nothing is offered again.
const PAUSE: &[u8] = b"p";

/// Time lost to offering in vain that nobody notices.
const BEARABLE: Duration = Duration::from_secs(3);
/// For how many times what was lost nothing is offered again, so that it is at most a tenth of anybody's time.
const PATIENCE: u32 = 10;
/// The longest that nothing is offered again.
const LONGEST: Duration = Duration::from_secs(3600);

/// The debts of a work directory, by tag.
#[derive(Debug)]
pub(crate) struct Owed {
    path: PathBuf,
    journal: Mutex<Page>,
}

/// The file, as far as somebody has looked.
#[derive(Debug, Default)]
enum Page {
    #[default]
    Unread,
    Missing,
    Open(Journal),
}

impl Owed {
    /// Those in the file at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, journal: Mutex::default() }
    }

    /// The debts that are to be paid at a time, of those that are `wanted`. Nothing is written.
    pub(crate) fn due(&self, now: SystemTime, wanted: impl Fn(&str, &Debt) -> bool) -> Result<Vec<(String, Debt)>> {
        let journal = Journal::look(&self.path)?;
        let pause = journal.get(PAUSE).and_then(|value| Reader::new(value).number());
        // One that ends later was noted by a clock that has been set back since.
        let ends_soon = |end: u64| (seconds(now)..=seconds(now + LONGEST)).contains(&end);
        if pause.is_some_and(ends_soon) {
            return Ok(Vec::new());
        }
        let wanted = |(tag, debt): &(&str, Debt)| wanted(tag, debt);
        Ok(debts(&journal).filter(wanted).map(|(tag, debt)| (tag.to_owned(), debt)).collect())
    }

    /// The debt of a tag. Nothing is written.
    pub(crate) fn of(&self, tag: &str) -> Result<Option<Debt>> {
        Ok(Journal::look(&self.path)?.get(&key(tag)).and_then(Debt::decode))
    }

    /// Notes what is owed of a tag.
    pub(crate) fn owe(&self, tag: &str, debt: &Debt) -> Result<()> {
        self.open(true, |journal| journal.set(key(tag), &debt.encode())).map(drop)
    }

    /// Nothing is owed of a tag any more.
    pub(crate) fn settle(&self, tag: &str) -> Result<()> {
        self.open(false, |journal| journal.remove(&key(tag))).map(drop)
    }

    /// So much time was lost at `now` to offering in vain.
    pub(crate) fn lose(&self, time: Duration, now: SystemTime) -> Result<()> {
        let mut value = Writer::default();
        value.number(seconds(now + time.saturating_mul(PATIENCE).min(LONGEST)));
        let pause = |journal: &mut Journal| match time > BEARABLE {
            true => journal.set(PAUSE.to_vec(), &value.bytes),
            false => journal.remove(PAUSE),
        };
        self.open(false, pause).map(drop)
    }

    /// Forgets what is owed by nobody, and returns how much is left. The file goes with the last of it.
    pub(crate) fn close(&self, stands: impl Fn(&str, &Debt) -> bool) -> Result<usize> {
        let left = self.open(false, |journal| {
            let (stand, void): (Vec<_>, Vec<_>) = debts(journal).partition(|(tag, debt)| stands(tag, debt));
            let (left, void) = (stand.len(), void.iter().map(|(tag, _)| key(tag)).collect::<Vec<_>>());
            void.iter().try_for_each(|key| journal.remove(key)).map(|()| left)
        })?;
        if left == Some(0) {
            *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = Page::Missing;
            remove_tree(&self.path)?;
        }
        Ok(left.unwrap_or_default())
    }

    /// Opens the file if it is there, or made.
    fn open<T>(&self, make: bool, act: impl FnOnce(&mut Journal) -> Result<T>) -> Result<Option<T>> {
        let mut page = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*page, Page::Unread) && !self.path.exists() {
            *page = Page::Missing;
        }
        match &mut *page {
            Page::Open(journal) => return act(journal).map(Some),
            Page::Missing if !make => return Ok(None),
            _ => {}
        }
        *page = Page::Open(Journal::open(&self.path)?);
        match &mut *page {
            Page::Open(journal) => act(journal).map(Some),
            _ => Ok(None),
        }
    }
}

fn debts(journal: &Journal) -> impl Iterator<Item = (&str, Debt)> {
    journal.iter().filter_map(|(key, value)| {
        let tag = std::str::from_utf8(key.strip_prefix(&[DEBT])?).ok()?;
        Some((tag, Debt::decode(value)?))
    })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn key(tag: &str) -> Vec<u8> {
    [&[DEBT], tag.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::debt::tests::debt;
    use super::*;

    fn tags(owed: &Owed, now: SystemTime) -> Vec<String> {
        let mut tags: Vec<_> = owed.due(now, |_, _| true).unwrap().into_iter().map(|(tag, _)| tag).collect();
        tags.sort();
        tags
    }

    fn room() -> (tempfile::TempDir, impl Fn() -> Owed) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("owed");
        (dir, move || Owed::new(path.clone()))
    }

    #[test]
    fn there_is_a_file_while_something_is_owed() {
        let (dir, owed) = room();
        let is_there = || dir.path().join("owed").exists();
        let first = owed();
        first.settle("one").unwrap();
        assert_eq!(
            (tags(&first, SystemTime::now()).len(), first.close(|_, _| true).unwrap(), is_there()),
            (0, 0, false)
        );
        ["one", "two", "three"].iter().for_each(|tag| first.owe(tag, &debt(tag)).unwrap());
        first.settle("one").unwrap();
        assert_eq!(tags(&owed(), SystemTime::now()), ["three", "two"], "as a run finds it after one that was killed");
        assert_eq!(owed().of("two").unwrap(), Some(debt("two")));

        let next = owed();
        assert_eq!(next.close(|tag, debt| tag != "three" && debt.task == tag).unwrap(), 1);
        assert_eq!(tags(&owed(), SystemTime::now()), ["two"]);
        next.settle("two").unwrap();
        assert_eq!((next.close(|_, _| true).unwrap(), is_there()), (0, false));
        next.owe("four", &debt("four")).unwrap();
        assert_eq!(tags(&owed(), SystemTime::now()), ["four"]);
    }

    #[test]
    fn much_time_that_was_lost_is_a_pause_and_little_is_none() {
        let (_dir, owed) = room();
        let now = SystemTime::now();
        let after = |seconds| tags(&owed(), now + Duration::from_secs(seconds)).len();
        owed().owe("one", &debt("one")).unwrap();
        owed().lose(BEARABLE, now).unwrap();
        assert_eq!(after(0), 1);
        owed().lose(Duration::from_secs(30), now).unwrap();
        assert_eq!([0, 299, 302].map(after), [0, 0, 1]);
        assert_eq!(tags(&owed(), now - LONGEST * 2).len(), 1, "whatever the clock says");
        owed().lose(Duration::from_secs(30_000), now).unwrap();
        assert_eq!([3598, 3602].map(after), [0, 1]);
        owed().lose(Duration::ZERO, now).unwrap();
        assert_eq!(after(0), 1);
    }
}
