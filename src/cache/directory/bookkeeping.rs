//! The bookkeeping: when a depot goes to its books, and how long it waits for them.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::books::Books;
use super::depot::Depot;
use super::fault;
use super::record::Record;
use super::room::Room;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::host::lock::Wait;
use crate::text;

/// How long nobody waits for a lock that was waited for in vain.
const IMPATIENCE: Duration = Duration::from_secs(60);

/// How long a store that is closed waits for the lock. What it does not settle, others find out.
const PARTING: Duration = Duration::from_millis(500);

impl Depot {
    /// Remembers that an object was asked for, if this process may.
    pub(super) fn used(&self, name: &str) {
        if self.silent.load(Ordering::Relaxed) || !self.uses.is_news(name, Instant::now()) {
            return;
        }
        let told = self.with_writer(|writer| {
            writer.record(&Record::Use { name: name.to_owned(), at: writer.now() })?;
            self.hand_over_if_long(writer)
        });
        fault::point("used: recorded");
        // A hit is a hit. Who cannot write now will not try for every object.
        self.silent.store(told.is_err(), Ordering::Relaxed);
    }

    /// Hands a long log over, if nobody else is at the books: a reader does not wait.
    fn hand_over_if_long(&self, writer: &Writer) -> anyhow::Result<()> {
        let Some(mut room) = writer.has_much_to_say().then(|| writer.try_room()).flatten() else { return Ok(()) };
        match Books::open(self, Wait::Fail) {
            Ok(mut books) => books.grant(writer, &mut room, 0).map(drop),
            Err(Error::Busy { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the books of a store, unless somebody has them open for too long: then the reason not to wait any more.
    pub(super) fn books(&self) -> Result<Books<'_>> {
        let mut impatient = self.impatient.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = match *impatient {
            Some(until) if Instant::now() < until => Wait::Fail,
            _ => Wait::UpTo(self.lock_wait),
        };
        let books = Books::open(self, wait);
        *impatient = match &books {
            Err(Error::Busy { .. }) => Instant::now().checked_add(IMPATIENCE),
            _ => None,
        };
        books
    }

    /// Reserves room for `bytes` more; `Some` is the reason why there is none.
    pub(super) fn reserve(&self, writer: &Writer, bytes: u64) -> anyhow::Result<Option<String>> {
        if bytes > self.size {
            return Ok(Some(format!("{} do not fit into {}", text::bytes(bytes), text::bytes(self.size))));
        }
        let mut room: MutexGuard<'_, Room> = writer.room();
        if !writer.has_much_to_say() && room.reserve(bytes) {
            return Ok(None);
        }
        let mut books = match self.books() {
            Ok(books) => books,
            Err(error @ Error::Busy { .. }) => return Ok(Some(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let refusal = books.grant(writer, &mut room, bytes)?;
        room.reserve(bytes);
        Ok(refusal)
    }

    /// Settles the writer for good, if nobody else is at the books for long.
    pub(super) fn close(&self, writer: &Writer) -> anyhow::Result<()> {
        let mut room = writer.room();
        if !room.is_settled() || writer.has_records() {
            Books::open(self, Wait::UpTo(PARTING))?.close(writer, &mut room)?;
        }
        writer.leave();
        Ok(())
    }
}
