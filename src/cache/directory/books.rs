//! The books: what is done under the lock of a store, for all of its writers.
//!
//! Everything here can be cut off between any two steps. The ledger may say too much afterwards, never too little, and
//! whoever opens the books next finds out.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, SystemTime};

use anyhow::Context;

use super::depot::Depot;
use super::entry::Entry;
use super::fault;
use super::layout::shards;
use super::ledger::Ledger;
use super::others::{Other, others};
use super::room::Room;
use super::shard::Shard;
use super::tale::Tale;
use super::victims::{MOST, Victim, Victims, rank};
use super::writer::Writer;
use crate::error::Result;
use crate::host::cancel::Cancel;
use crate::host::lock::{Lock, Wait};
use crate::text;

/// How long objects are protected that another open store has asked for.
const IN_USE: Duration = Duration::from_secs(600);

/// How long a count is trusted. Files may come and go by hand, and a power cut may bring an old ledger back.
const TRUST: Duration = Duration::from_secs(24 * 3600);

/// The journal is worked into the index when it has so many bytes.
const LONG_JOURNAL: u64 = 4 << 20;

/// The ledger of a store, its lock held.
#[derive(Debug)]
pub(super) struct Books<'a> {
    depot: &'a Depot,
    pub(super) ledger: Ledger,
    _lock: Lock,
}

impl<'a> Books<'a> {
    /// Opens the books, and closes the accounts of writers that are gone.
    ///
    /// # Errors
    /// [`Error::Busy`](crate::Error::Busy) naming who has them open, after waiting.
    pub(super) fn open(depot: &'a Depot, wait: Wait) -> Result<Self> {
        let lock = Lock::acquire(&depot.layout.lock(), wait, "a cortado", &Cancel::new(), &mut |_| {})?;
        fault::point("books: locked");
        depot.disk.look_anew(depot.layout.root());
        let ledger = Ledger::read(&depot.layout).unwrap_or_default();
        Ok(Self { depot, ledger, _lock: lock })
    }

    /// Grants a writer room for `need` more bytes. Objects go for it, if they have to; `None` says that it is done, else
    /// why it is not.
    pub(super) fn grant(&mut self, writer: &Writer, room: &mut Room, need: u64) -> anyhow::Result<Option<String>> {
        self.settle(writer, room);
        self.bury_the_dead(Some(writer.id()))?;
        self.count_if_due(writer)?;
        if self.missing(need) > 0 {
            self.evict(writer, need)?;
        }
        let granted = match self.missing(need) {
            0 => need + self.advance(need),
            _ => 0,
        };
        *self.ledger.grants.entry(writer.id().to_owned()).or_default() += granted;
        self.write(writer, room)?;
        Ok((granted < need).then(|| self.refusal(need)))
    }

    /// Tells the ledger what a writer has done, and takes back what is left of its grant. [`write`](Books::write) keeps it.
    pub(super) fn settle(&mut self, writer: &Writer, room: &Room) {
        let account = room.account(self.ledger.counted);
        self.ledger.objects = self.ledger.objects.saturating_add(account.spent).saturating_sub(account.freed);
        self.ledger.count = self.ledger.count.saturating_add(account.stored).saturating_sub(account.removed);
        self.ledger.grants.insert(writer.id().to_owned(), account.held);
    }

    /// Keeps the ledger, and what the writer has recorded.
    pub(super) fn write(&mut self, writer: &Writer, room: &mut Room) -> anyhow::Result<()> {
        let granted = self.ledger.grants.get(writer.id()).copied().unwrap_or(0);
        self.ledger.clock = self.ledger.clock.max(writer.now());
        let held = room.held();
        let kept = writer.hand_over(held, |log| {
            self.add_to_journal(log)?;
            fault::point("settle: journal written");
            self.ledger.write(&self.depot.layout, &self.depot.disk)
        });
        kept.context("could not write the ledger of the store")?;
        room.reopen(granted, self.ledger.counted);
        Ok(())
    }

    /// Settles a writer for good.
    pub(super) fn close(&mut self, writer: &Writer, room: &mut Room) -> anyhow::Result<()> {
        self.settle(writer, room);
        self.ledger.grants.remove(writer.id());
        self.write(writer, room)?;
        if self.is_journal_long() {
            self.count(Some(writer), &mut |_, _| {})?;
            self.ledger.write(&self.depot.layout, &self.depot.disk)?;
        }
        Ok(())
    }

    /// Closes the accounts of writers that are gone, and of those that have been silent for longer than the lease.
    pub(super) fn bury_the_dead(&mut self, own: Option<&str>) -> anyhow::Result<()> {
        let others = others(&self.depot.layout, own).context("could not look for other writers")?;
        let now = self.file_time();
        let (alive, dead): (Vec<Other>, Vec<Other>) = others.into_iter().partition(|other| other.is_alive(now));
        for mut other in dead {
            let legacy = other.bury().with_context(|| format!("could not take over from the writer `{}`", other.id))?;
            self.add_to_journal(&legacy.log).context("could not write the journal of the store")?;
            fault::point("bury: journal written");
            self.ledger.counted = if legacy.unsettled { 0 } else { self.ledger.counted };
            self.ledger.grants.remove(other.id.trim_start_matches(".gone-"));
            other.remove().with_context(|| format!("could not remove what the writer `{}` left", other.id))?;
        }
        // A grant to nobody: its writer was buried by somebody who died over it. What it has stored must be counted.
        let is_known = |id: &str| own == Some(id) || alive.iter().any(|other| other.id == id);
        if self.ledger.grants.keys().any(|id| !is_known(id)) {
            self.ledger.grants.retain(|id, _| is_known(id));
            self.ledger.counted = 0;
        }
        Ok(())
    }

    /// Counts all objects if the last count cannot be trusted, or the journal has become long.
    pub(super) fn count_if_due(&mut self, writer: &Writer) -> anyhow::Result<()> {
        let due = !self.is_counted(writer.now()) || self.is_journal_long();
        if due { self.count(Some(writer), &mut |_, _| {}) } else { Ok(()) }
    }

    /// Counts all objects, brings the index up to date with the journal, and shows every object to `visit`.
    pub(super) fn count(&mut self, own: Option<&Writer>, visit: &mut dyn FnMut(Entry, &Tale)) -> anyhow::Result<()> {
        let read = || Tale::read(&self.depot.layout, own.map(Writer::id));
        let mut tale = read().context("could not read the logs of the store")?;
        fault::point("count: logs read");
        (self.ledger.objects, self.ledger.count) = (0, 0);
        for name in shards() {
            let shard = Shard::new(&self.depot.layout, name);
            let mut content = shard.content(&tale).context("could not read the objects of the store")?;
            let newer = content.introduce(read).context("could not read the logs of the store")?;
            tale = newer.unwrap_or(tale);
            if content.stale {
                let entries = content.objects.iter().map(|object| &object.entry);
                shard.write_index(entries, &self.depot.disk).context("could not write the index of the store")?;
            }
            for object in content.objects {
                let settled = !tale.is_unsettled(&object.entry.name, object.file);
                self.ledger.objects += if settled { object.entry.charge() } else { 0 };
                self.ledger.count += u64::from(settled);
                visit(object.entry, &tale);
            }
        }
        fault::point("count: index written");
        self.ledger.counted =
            own.map_or_else(|| super::entry::micros(SystemTime::now()), Writer::now).max(self.ledger.clock + 1);
        self.ledger.clock = self.ledger.counted;
        remove(&self.depot.layout.journal()).context("could not remove the journal of the store")
    }

    /// Makes room for `need` bytes by removing what is needed least, until there is enough or nothing is left that may go.
    fn evict(&mut self, writer: &Writer, need: u64) -> anyhow::Result<()> {
        // A store of many objects is not counted for every single one that is added.
        let spare = if self.ledger.count < 256 { 0 } else { self.ledger.objects / 64 };
        while self.missing(need) > 0 {
            let victims = self.choose(writer, self.missing(need).saturating_add(spare), MOST)?;
            let before = self.missing(need);
            for victim in victims {
                if self.missing(need.saturating_add(spare)) == 0 {
                    break;
                }
                self.remove(writer, &victim)?;
                self.depot.evicted.add(victim.size);
            }
            if self.missing(need) >= before {
                break;
            }
        }
        Ok(())
    }

    /// Counts all objects, and chooses those that have to go for `wanted` bytes, `most` of them.
    pub(super) fn choose(&mut self, writer: &Writer, wanted: u64, most: usize) -> anyhow::Result<Vec<Victim>> {
        let pins = self.depot.pinned().context("could not read the pins of the store")?;
        let (now, eviction) = (writer.now(), self.depot.eviction);
        let protected = now.saturating_sub(IN_USE.as_micros() as u64);
        let mut victims = Victims::new(wanted, most);
        self.count(Some(writer), &mut |entry, tale| {
            if !pins.contains(&entry.name) && tale.in_use(&entry.name) < protected.max(1) {
                victims.offer(&entry, rank(&entry, now, eviction));
            }
        })?;
        Ok(victims.in_order())
    }

    /// Removes an object; one that is gone already is fine.
    pub(super) fn remove(&mut self, writer: &Writer, victim: &Victim) -> anyhow::Result<()> {
        let freed = self.depot.take_away(writer, &victim.name)?;
        self.ledger.objects = self.ledger.objects.saturating_sub(freed.map_or(0, super::entry::charge));
        self.ledger.count = self.ledger.count.saturating_sub(1);
        Ok(())
    }

    /// Bytes that have to go before `need` more fit.
    pub(super) fn missing(&self, need: u64) -> u64 {
        self.ledger.total().saturating_add(need).saturating_sub(self.depot.size)
    }

    /// What is granted beyond what is needed, so that not every object needs the lock.
    fn advance(&self, need: u64) -> u64 {
        let left = self.depot.size.saturating_sub(self.ledger.total()).saturating_sub(need);
        (left / 8).min(self.depot.size / 256).min(64 << 20)
    }

    fn refusal(&self, need: u64) -> String {
        let granted = self.ledger.total() - self.ledger.objects;
        format!(
            "{} do not fit into {}: {} are pinned or in use, and {} are reserved by other writers",
            text::bytes(need),
            text::bytes(self.depot.size),
            text::bytes(self.ledger.objects),
            text::bytes(granted),
        )
    }

    fn is_counted(&self, now: u64) -> bool {
        let trust = TRUST.as_micros() as u64;
        self.ledger.counted > 0 && now.saturating_sub(self.ledger.counted) < trust
    }

    fn is_journal_long(&self) -> bool {
        fs::metadata(self.depot.layout.journal()).is_ok_and(|journal| journal.len() > LONG_JOURNAL)
    }

    /// Adds what a log says to the journal, but for its first line, which says whose it is.
    fn add_to_journal(&self, log: &[u8]) -> io::Result<()> {
        let first = log.iter().position(|byte| *byte == b'\n').map_or(log.len(), |end| end + 1);
        let Some(log) = log.get(first..).filter(|log| !log.is_empty()) else { return Ok(()) };
        let mut journal = OpenOptions::new().append(true).create(true).open(self.depot.layout.journal())?;
        self.depot.disk.share_file(&journal)?;
        // The last one to write may have died half-way through a line.
        journal.write_all(&[b"\n", log].concat())?;
        self.depot.disk.flush(&journal)
    }

    /// The present time by the clock that dates the files of this store: the lock has just been written.
    pub(super) fn file_time(&self) -> SystemTime {
        let lock = fs::metadata(self.depot.layout.lock());
        lock.and_then(|lock| lock.modified()).unwrap_or_else(|_| SystemTime::now())
    }
}

fn remove(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
