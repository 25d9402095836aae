//! The tale: what the logs and the journal of a store say, taken together.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};

use super::entry::Entry;
use super::layout::Layout;
use super::others::others;
use super::record::{Record, records};

/// What the logs and the journal say about objects, by name.
#[derive(Debug, Default)]
pub(super) struct Tale {
    objects: HashMap<String, Told>,
}

#[derive(Debug, Default)]
struct Told {
    puts: Vec<Put>,
    used: u64,
    /// Whether it was removed by a store, not by hand.
    gone: bool,
    /// When another process, still alive, last asked for it.
    in_use: u64,
}

#[derive(Debug)]
struct Put {
    file: u64,
    entry: Entry,
    /// Whether the ledger counts it as its writer's, not as the store's.
    unsettled: bool,
}

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Teller {
    /// The ledger knows what it says, or is about to be told: the journal, and the log of whoever asks.
    Settled,
    /// A writer that is still open, and has not told.
    Other,
}

impl Tale {
    /// Everything that logs and journal of a store say, `own` being the caller's writer.
    pub(super) fn read(layout: &Layout, own: Option<&str>) -> io::Result<Self> {
        let mut tale = Self::default();
        // What is handed over meanwhile moves from the logs to the journal and on to the index: whoever reads them in
        // this order misses nothing.
        for other in others(layout, None)? {
            let teller = if Some(other.id.as_str()) == own { Teller::Settled } else { Teller::Other };
            tale.add(&other.log(), teller);
        }
        match fs::read(layout.journal()) {
            Ok(journal) => tale.add(&journal, Teller::Settled),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(tale)
    }

    fn add(&mut self, log: &[u8], teller: Teller) {
        records(log).for_each(|record| self.add_record(record, teller));
    }

    fn add_record(&mut self, record: Record, teller: Teller) {
        match record {
            Record::Writer { .. } => {}
            Record::Put { file, entry } => {
                let unsettled = teller == Teller::Other;
                self.told(&entry.name).puts.push(Put { file, entry, unsettled });
            }
            Record::Void { name, file } => self.told(&name).puts.retain(|put| put.file != file),
            Record::Gone { name } => self.told(&name).gone = true,
            Record::Use { name, at } => {
                let told = self.told(&name);
                told.used = told.used.max(at);
                if teller == Teller::Other {
                    told.in_use = told.in_use.max(at);
                }
            }
        }
    }

    fn told(&mut self, name: &str) -> &mut Told {
        if !self.objects.contains_key(name) {
            self.objects.insert(name.to_owned(), Told::default());
        }
        self.objects.entry(name.to_owned()).or_default()
    }

    /// What is known about a file that is an object, `file` being its inode and `known` what the index says.
    pub(super) fn entry(&self, name: &str, file: u64, size: u64, known: Option<Entry>) -> Option<Entry> {
        let told = self.objects.get(name);
        let put = told.and_then(|told| told.puts.iter().rfind(|put| put.file == file && put.entry.size == size));
        let mut entry = put.map(|put| put.entry.clone()).or(known.filter(|known| known.size == size))?;
        entry.used = entry.used.max(told.map_or(0, |told| told.used));
        Some(entry)
    }

    /// Whether anything was put under that name that the index does not know.
    pub(super) fn is_told(&self, name: &str) -> bool {
        self.objects.get(name).is_some_and(|told| !told.puts.is_empty())
    }

    /// Whether a store has removed an object of that name since the index was written.
    pub(super) fn is_gone(&self, name: &str) -> bool {
        self.objects.get(name).is_some_and(|told| told.gone)
    }

    /// When anybody last asked for it, as far as the index does not know; 0 if never.
    pub(super) fn used(&self, name: &str) -> u64 {
        self.objects.get(name).map_or(0, |told| told.used)
    }

    /// Whether the file is accounted for by a writer that is still open.
    pub(super) fn is_unsettled(&self, name: &str, file: u64) -> bool {
        self.objects.get(name).is_some_and(|told| told.puts.iter().any(|put| put.unsettled && put.file == file))
    }

    /// When another open process last asked for it; 0 if never.
    pub(super) fn in_use(&self, name: &str) -> u64 {
        self.objects.get(name).map_or(0, |told| told.in_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(file: u64, size: u64) -> Record {
        Record::Put { file, entry: Entry::unknown("a".into(), size, 10) }
    }

    fn tale(records: &[Record], teller: Teller) -> Tale {
        let mut tale = Tale::default();
        tale.add(&records.iter().flat_map(Record::line).collect::<Vec<_>>(), teller);
        tale
    }

    #[test]
    fn a_record_is_believed_of_the_file_that_it_was_written_for() {
        let tale = tale(&[put(1, 5), put(2, 6), Record::Use { name: "a".into(), at: 99 }], Teller::Other);
        assert_eq!(tale.entry("a", 1, 5, None).unwrap().used, 99);
        assert_eq!(tale.entry("a", 2, 6, None).unwrap().size, 6);
        assert_eq!((tale.entry("a", 3, 5, None), tale.entry("a", 1, 4, None)), (None, None));
        assert_eq!((tale.is_unsettled("a", 2), tale.is_unsettled("a", 3), tale.in_use("a")), (true, false, 99));
    }

    #[test]
    fn the_index_is_believed_when_the_size_agrees() {
        let tale = tale(&[put(1, 5)], Teller::Settled);
        let known = |size| Some(Entry::unknown("a".into(), size, 3));
        assert_eq!(tale.entry("a", 9, 7, known(7)), known(7));
        assert_eq!(tale.entry("a", 9, 8, known(7)), None);
        assert!(!tale.is_unsettled("a", 1), "the journal is settled");
    }

    #[test]
    fn a_void_record_means_nothing() {
        let tale = tale(&[put(1, 5), Record::Void { name: "a".into(), file: 1 }], Teller::Other);
        assert_eq!((tale.entry("a", 1, 5, None), tale.is_unsettled("a", 1)), (None, false));
    }
}
