//! The memory: what an open store remembers of the logs and the journal, so that describing a thousand objects does not
//! read them a thousand times.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::layout::{Layout, shard_of};
use super::shard::Shard;
use super::tale::Tale;

/// For how long others' logs are not read again, though they may say more by now.
const FRESH: Duration = Duration::from_secs(1);

/// What is remembered, once somebody wanted to know.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Option<Heard>>);

/// What logs and journal said when they were last read.
#[derive(Debug)]
struct Heard {
    tale: Tale,
    /// Inode and size of the journal.
    journal: Option<(u64, u64)>,
    read: Instant,
}

impl Memory {
    /// What is remembered about an object; `None` where there is none of that name, or nothing is known about it. It may
    /// have been asked for since.
    pub(super) fn recall(&self, layout: &Layout, name: &str) -> io::Result<Option<Entry>> {
        let found = match fs::symlink_metadata(layout.object(name).map_err(io::Error::other)?) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            found => found?,
        };
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |heard: &Heard| heard.tale.entry(name, found.ino(), found.len(), None);
        if let Some(entry) = heard.as_ref().and_then(told) {
            return Ok(Some(entry));
        }
        let known = Shard::new(layout, shard_of(name)).indexed(name).filter(|known| known.size == found.len());
        if known.is_some() {
            return Ok(known);
        }
        let journal = journal(layout);
        if heard.as_ref().is_some_and(|heard| heard.journal == journal && heard.read.elapsed() < FRESH) {
            return Ok(None);
        }
        let read = heard.insert(Heard { tale: Tale::read(layout, None)?, journal, read: Instant::now() });
        Ok(told(read))
    }
}

fn journal(layout: &Layout) -> Option<(u64, u64)> {
    fs::metadata(layout.journal()).ok().map(|journal| (journal.ino(), journal.len()))
}
