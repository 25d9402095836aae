//! The memory: what an open store remembers of the logs and the journal, so that describing a thousand objects does not
//! read them a thousand times.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::depot::Depot;
use super::entry::Entry;
use super::layout::shard_of;
use super::record::Tale;
use super::shard::Shard;

/// For how long others' logs are not read again, though they may say more by now.
const FRESH: Duration = Duration::from_secs(1);

/// What the books said when they were last read.
#[derive(Debug)]
pub(super) struct Memory {
    tale: Tale,
    /// Inode and size of the journal.
    journal: Option<(u64, u64)>,
    read: Instant,
}

impl Depot {
    /// What is remembered about an object; `None` where there is none of that name, or nothing is known about it. It may
    /// have been asked for since.
    pub(super) fn recall(&self, name: &str) -> io::Result<Option<Entry>> {
        let found = match fs::symlink_metadata(self.layout.object(name).map_err(io::Error::other)?) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            found => found?,
        };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |memory: &Memory| memory.tale.entry(name, found.ino(), found.len(), None);
        if let Some(entry) = memory.as_ref().and_then(told) {
            return Ok(Some(entry));
        }
        let known = Shard::new(&self.layout, shard_of(name)).indexed(name).filter(|known| known.size == found.len());
        if known.is_some() {
            return Ok(known);
        }
        let journal = self.journal();
        if memory.as_ref().is_some_and(|memory| memory.journal == journal && memory.read.elapsed() < FRESH) {
            return Ok(None);
        }
        let read = memory.insert(Memory { tale: self.tale(None)?, journal, read: Instant::now() });
        Ok(told(read))
    }

    fn journal(&self) -> Option<(u64, u64)> {
        fs::metadata(self.layout.journal()).ok().map(|journal| (journal.ino(), journal.len()))
    }
}
