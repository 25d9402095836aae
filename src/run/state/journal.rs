//! An append-only log of keys and values that survives being killed at any point.
//!
//! The file is the line `cortado state 1` and then frames of the [codec](crate::cache::codec), each holding a counted
//! key and, to its end, a value; an empty value removes the key, and the last frame of a key counts. Opening walks the
//! frames and cuts the file off where one is torn or corrupt. When a third of the file is history it is written anew.
//! There is one writer (the work directory's lock), and the file is mirrored in memory.

use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::cache::codec::{FRAME_HEADER, Reader, Writer, frame};
use crate::error::{Error, Result};
use crate::host::fs::write_atomic;

const NAME: &str = "cortado state ";
const VERSION: u32 = 1;
const HEADER: &[u8] = b"cortado state 1\n";

/// History is kept until it is larger than this and than half of what counts.
const HISTORY: usize = 1 << 20;

/// The same, when a run is over.
const UNTIDY: usize = 64 << 10;

/// Bytes by which the number of keys in a file is guessed.
const TYPICAL_FRAME: usize = 96;

#[derive(Debug)]
pub(in crate::run) struct Journal {
    path: PathBuf,
    /// `None` where it is only looked at: what is set then is not kept.
    file: Option<File>,
    /// What the file holds.
    bytes: Vec<u8>,
    index: Index,
    /// Bytes of the frames in `index`.
    live: usize,
    dropped: usize,
}

/// Where the last frame of each key lies. The keys themselves are nowhere but in the bytes of the file: a file of many
/// thousand frames is opened at each start, and copies of its keys would cost more than all the rest of it.
#[derive(Debug, Clone, Default)]
struct Index {
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

/// Where a frame begins, and the lengths of its key and its value.
#[derive(Debug, Clone, Copy)]
struct Place {
    frame: usize,
    key: u32,
    value: u32,
}

impl Place {
    fn key<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let value = self.value_at();
        bytes.get(value - self.key as usize..value).unwrap_or_default()
    }

    fn value<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.value_at()..self.end()).unwrap_or_default()
    }

    /// Behind the frame's header, the count of the key's bytes, and the key.
    fn value_at(&self) -> usize {
        let count = self.key.checked_ilog2().map_or(1, |highest| highest as usize / 7 + 1);
        self.frame + FRAME_HEADER + count + self.key as usize
    }

    fn end(&self) -> usize {
        self.value_at() + self.value as usize
    }

    fn length(&self) -> usize {
        self.end() - self.frame
    }
}

impl Index {
    fn find(&self, bytes: &[u8], key: &[u8]) -> Option<&Place> {
        self.places.find(self.hasher.hash_one(key), |place| place.key(bytes) == key)
    }

    /// Notes the newest frame of its key, or forgets the key if it has no value. Returns the frame that counted before.
    fn enter(&mut self, bytes: &[u8], new: Place) -> Option<Place> {
        let key = new.key(bytes);
        let (hasher, removes) = (&self.hasher, new.value == 0);
        let is_same = |place: &Place| place.key(bytes) == key;
        let entry = self.places.entry(hasher.hash_one(key), is_same, |place| hasher.hash_one(place.key(bytes)));
        match entry {
            Entry::Occupied(entry) if removes => Some(entry.remove().0),
            Entry::Occupied(mut entry) => Some(std::mem::replace(entry.get_mut(), new)),
            Entry::Vacant(entry) => {
                if !removes {
                    entry.insert(new);
                }
                None
            }
        }
    }
}

impl Journal {
    pub(in crate::run) fn open(path: &Path) -> Result<Journal> {
        let mut bytes = read(path)?;
        refuse_newer(path, &bytes)?;
        let mut found = bytes.len();
        if !bytes.starts_with(HEADER) {
            write_atomic(path, HEADER)?;
            found += HEADER.len();
            bytes = HEADER.to_vec();
        }
        let mut journal = Self::of(path, Some(append_to(path)?), bytes);
        journal.load(found)?;
        journal.compact()?;
        Ok(journal)
    }

    /// The log as it is, without a change to the file: for looking while another process may be writing.
    pub(in crate::run) fn look(path: &Path) -> Result<Journal> {
        let mut bytes = read(path)?;
        refuse_newer(path, &bytes)?;
        if !bytes.starts_with(HEADER) {
            bytes = HEADER.to_vec();
        }
        let found = bytes.len();
        let mut journal = Self::of(path, None, bytes);
        journal.load(found)?;
        Ok(journal)
    }

    /// The log if it is there and unharmed, opened for writing; otherwise nothing is changed.
    pub(in crate::run) fn whole(path: &Path) -> Result<Option<Journal>> {
        let bytes = read(path)?;
        if !bytes.starts_with(HEADER) {
            return Ok(None);
        }
        let found = bytes.len();
        let mut journal = Self::of(path, None, bytes);
        journal.load(found)?;
        if journal.dropped > 0 {
            return Ok(None);
        }
        journal.file = Some(append_to(path)?);
        Ok(Some(journal))
    }

    fn of(path: &Path, file: Option<File>, bytes: Vec<u8>) -> Journal {
        Journal { path: path.to_path_buf(), file, bytes, index: Index::default(), live: 0, dropped: 0 }
    }

    pub(in crate::run) fn dropped(&self) -> usize {
        self.dropped
    }

    pub(in crate::run) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.index.find(&self.bytes, key).map(|place| place.value(&self.bytes))
    }

    /// How many keys there are.
    pub(in crate::run) fn len(&self) -> usize {
        self.index.places.len()
    }

    /// All keys with their values, in no order.
    pub(in crate::run) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.index.places.iter().map(|place| (place.key(&self.bytes), place.value(&self.bytes)))
    }

    pub(in crate::run) fn set(&mut self, key: Vec<u8>, value: &[u8]) -> Result<()> {
        if self.get(&key) == Some(value) {
            return Ok(());
        }
        self.append(&key, value)?;
        self.compact()
    }

    pub(in crate::run) fn remove(&mut self, key: &[u8]) -> Result<()> {
        if self.get(key).is_none() {
            return Ok(());
        }
        self.append(key, &[])?;
        self.compact()
    }

    /// Forgets every key that is not wanted, and leaves it and all history out of the file.
    pub(in crate::run) fn retain(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<()> {
        let (bytes, live) = (&self.bytes, &mut self.live);
        self.index.places.retain(|place| {
            let stays = wanted(place.key(bytes));
            *live -= if stays { 0 } else { place.length() };
            stays
        });
        self.compact_beyond(0)
    }

    /// Indexes the frames, and cuts off what follows the last whole one.
    fn load(&mut self, found: usize) -> Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let hasher = self.index.hasher;
        self.index.places.reserve(bytes.len() / TYPICAL_FRAME, |place| hasher.hash_one(place.key(&bytes)));
        let mut reader = Reader::new(bytes.get(HEADER.len()..).unwrap_or_default());
        let mut frame = HEADER.len();
        while let Some((key, value)) = reader.frame().and_then(split) {
            let place = Place { frame, key: key.len() as u32, value: value.len() as u32 };
            let end = bytes.len() - reader.rest().len();
            if place.end() != end {
                break; // nobody writes a count in more bytes than it needs
            }
            self.enter(&bytes, place);
            frame = end;
        }
        self.dropped = found.saturating_sub(frame);
        self.bytes = bytes;
        self.cut(frame)
    }

    fn enter(&mut self, bytes: &[u8], new: Place) {
        let old = self.index.enter(bytes, new);
        self.live += if new.value > 0 { new.length() } else { 0 };
        self.live -= old.map_or(0, |old| old.length());
    }

    fn append(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let mut content = Writer::default();
        content.blob(key).bytes.extend_from_slice(value);
        let too_large = || Error::io("write", &self.path)(ErrorKind::FileTooLarge.into());
        let frame = frame(&content.bytes).ok_or_else(too_large)?;
        let start = self.bytes.len();
        if let Err(error) = self.file.as_mut().map_or(Ok(()), |file| file.write_all(&frame)) {
            // A torn frame would hide every later one.
            self.cut(start)?;
            return Err(Error::io("write", &self.path)(error));
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.extend_from_slice(&frame);
        self.enter(&bytes, Place { frame: start, key: key.len() as u32, value: value.len() as u32 });
        self.bytes = bytes;
        Ok(())
    }

    fn cut(&mut self, end: usize) -> Result<()> {
        self.bytes.truncate(end);
        let Some(file) = &self.file else { return Ok(()) };
        let there = file.metadata().map_err(Error::io("look at", &self.path))?.len();
        match there == end as u64 {
            true => Ok(()),
            false => file.set_len(end as u64).map_err(Error::io("shorten", &self.path)),
        }
    }

    /// Leaves the history out, if there is so much of it that it holds up those who read the file.
    pub(in crate::run) fn tidy(&mut self) -> Result<()> {
        self.compact_beyond(UNTIDY.max(self.live / 8))
    }

    /// Leaves the history out, if it is so much that it holds up even those who write.
    fn compact(&mut self) -> Result<()> {
        self.compact_beyond(HISTORY.max(self.live / 2))
    }

    fn compact_beyond(&mut self, most: usize) -> Result<()> {
        let history = self.bytes.len() - HEADER.len() - self.live;
        if self.file.is_none() || history <= most {
            return Ok(());
        }
        let mut bytes = HEADER.to_vec();
        let mut index = Index::default();
        // In the order in which they were written: whoever looks at one will look at the next.
        let mut places: Vec<_> = self.index.places.iter().collect();
        places.sort_unstable_by_key(|place| place.frame);
        for place in places {
            let frame = bytes.len();
            bytes.extend_from_slice(self.bytes.get(place.frame..place.end()).unwrap_or_default());
            index.enter(&bytes, Place { frame, ..*place });
        }
        write_atomic(&self.path, &bytes)?;
        self.file = Some(append_to(&self.path)?);
        (self.bytes, self.index) = (bytes, index);
        Ok(())
    }
}

/// Key and value of a frame's content.
fn split(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(content);
    reader.blob().map(|key| (key, reader.rest()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(Error::io("read", path)),
    }
}

fn append_to(path: &Path) -> Result<File> {
    OpenOptions::new().append(true).open(path).map_err(Error::io("open", path))
}

fn refuse_newer(path: &Path, bytes: &[u8]) -> Result<()> {
    let line = bytes.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(NAME.as_bytes()));
    let found = line.and_then(|version| std::str::from_utf8(version).ok());
    match found.and_then(|version| version.parse::<u32>().ok()) {
        Some(version) if version > VERSION => {
            Err(Error::Newer { path: path.to_path_buf(), found: version.to_string(), known: VERSION })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn room() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        (dir, path)
    }

    fn content(journal: &Journal) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut content: Vec<_> = journal.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        content.sort();
        content
    }

    #[test]
    fn a_torn_end_is_cut_off_and_writing_goes_on() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        journal.set(b"one".to_vec(), b"1").unwrap();
        let whole = fs::read(&path).unwrap().len();
        journal.set(b"two".to_vec(), b"2").unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();

        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.dropped(), bytes.len() - 1 - whole);
        assert_eq!((journal.get(b"one"), journal.get(b"two")), (Some(&b"1"[..]), None));
        journal.set(b"three".to_vec(), b"3").unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!((journal.get(b"three"), journal.dropped()), (Some(&b"3"[..]), 0));
    }

    #[test]
    fn a_file_of_something_else_is_begun_anew_and_one_of_the_future_is_refused() {
        let (_dir, path) = room();
        fs::write(&path, "gibberish").unwrap();
        assert_eq!(Journal::open(&path).unwrap().dropped(), 9);
        assert_eq!(fs::read(&path).unwrap(), HEADER);
        fs::write(&path, "cortado state 2\nwho knows").unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("state` has format 2; this cortado reads format 1"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"cortado state 2\nwho knows");
    }

    #[test]
    fn what_is_tidied_is_smaller_and_keeps_its_order() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        let key = |number: u32| format!("key {number}").into_bytes();
        for round in 0..3u8 {
            (0..1000).for_each(|number| journal.set(key(number), &[round; 100]).unwrap());
        }
        let (before, untidy) = (content(&journal), fs::metadata(&path).unwrap().len());
        journal.tidy().unwrap();
        assert!(fs::metadata(&path).unwrap().len() < untidy / 2);
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(content(&journal), before);
        let mut frames: Vec<_> =
            journal.index.places.iter().map(|place| (place.frame, place.key(&journal.bytes))).collect();
        frames.sort_unstable();
        assert!(frames.iter().zip(0..).all(|((_, found), number)| *found == key(number)));
        let tidy = fs::metadata(&path).unwrap().len();
        journal.set(key(1), b"new").unwrap();
        journal.tidy().unwrap();
        assert!(fs::metadata(&path).unwrap().len() > tidy, "a little history is not worth a new file");
    }

    #[test]
    fn what_is_not_wanted_is_gone_from_the_file_too() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        for round in 0..3u8 {
            (0..10u8).for_each(|key| journal.set(vec![key], &[round]).unwrap());
        }
        journal.retain(|key| key == [3]).unwrap();
        assert_eq!((journal.len(), content(&journal)), (1, vec![(vec![3], vec![2])]));
        journal.set(vec![4], b"new").unwrap();
        let opened = Journal::open(&path).unwrap();
        assert_eq!((content(&opened), opened.dropped()), (content(&journal), 0));
        assert_eq!(opened.live + HEADER.len(), fs::metadata(&path).unwrap().len() as usize);
    }

    #[test]
    fn history_is_left_out_when_it_outgrows_the_rest() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        journal.set(b"kept".to_vec(), b"value").unwrap();
        for round in 0..5u8 {
            journal.set(b"large".to_vec(), &vec![round; HISTORY / 2]).unwrap();
        }
        journal.remove(b"large").unwrap();
        journal.set(b"after".to_vec(), b"value").unwrap();
        assert!(fs::metadata(&path).unwrap().len() < (2 * HISTORY) as u64);
        assert_eq!(content(&Journal::open(&path).unwrap()), content(&journal));
        assert_eq!(content(&journal).len(), 2);
    }

    #[test]
    fn keys_of_every_length_are_found_again() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        for length in [0, 1, 127, 128, 16_383, 16_384] {
            journal.set(vec![b'k'; length], format!("{length}").as_bytes()).unwrap();
        }
        let opened = Journal::open(&path).unwrap();
        assert_eq!((content(&opened).len(), opened.dropped()), (6, 0));
        assert_eq!(content(&opened), content(&journal));
        assert_eq!(opened.get(&[b'k'; 128]), Some(&b"128"[..]));
    }

    #[test]
    fn a_file_that_is_not_whole_is_left_alone() {
        let (_dir, path) = room();
        assert!(Journal::whole(&path).unwrap().is_none());
        assert!(!path.exists());
        let mut journal = Journal::open(&path).unwrap();
        journal.set(b"one".to_vec(), b"1").unwrap();
        let mut journal = Journal::whole(&path).unwrap().unwrap();
        journal.set(b"two".to_vec(), b"2").unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(content(&Journal::open(&path).unwrap()).len(), 2);
        let torn = &bytes[..bytes.len() - 1];
        fs::write(&path, torn).unwrap();
        assert!(Journal::whole(&path).unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), torn);
    }

    #[test]
    fn saying_the_same_again_writes_nothing() {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        journal.set(b"key".to_vec(), b"value").unwrap();
        let length = fs::metadata(&path).unwrap().len();
        journal.set(b"key".to_vec(), b"value").unwrap();
        journal.remove(b"unknown").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), length);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn wherever_it_is_cut_the_first_changes_are_known(
            changes in prop::collection::vec((0..4u8, prop::collection::vec(any::<u8>(), 0..9)), 0..20),
            cut: prop::sample::Index,
        ) {
            let (_dir, path) = room();
            let mut journal = Journal::open(&path).unwrap();
            let mut known = vec![(fs::metadata(&path).unwrap().len(), content(&journal))];
            for (key, value) in changes {
                match value.is_empty() {
                    true => journal.remove(&[key]).unwrap(),
                    false => journal.set(vec![key], &value).unwrap(),
                }
                known.push((fs::metadata(&path).unwrap().len(), content(&journal)));
            }
            let bytes = fs::read(&path).unwrap();
            let cut = cut.index(bytes.len() + 1).max(HEADER.len());
            fs::write(&path, &bytes[..cut]).unwrap();
            let expected = known.iter().rfind(|(length, _)| *length <= cut as u64).unwrap();
            prop_assert_eq!(&content(&Journal::open(&path).unwrap()), &expected.1);
        }

        #[test]
        fn any_bytes_are_opened_without_harm(bytes: Vec<u8>, framed: Vec<u8>) {
            let (_dir, path) = room();
            fs::write(&path, [HEADER, &frame(&framed).unwrap(), &bytes].concat()).unwrap();
            let journal = Journal::open(&path).unwrap();
            prop_assert!(journal.dropped() <= bytes.len() + framed.len() + FRAME_HEADER);
            fs::write(&path, &bytes).unwrap();
            Journal::open(&path).unwrap();
        }
    }
}
