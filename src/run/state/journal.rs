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

use crate::cache::codec::{FRAME_HEADER, Reader, Writer, append_frame};
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
        self.write(&key, |writer| writer.bytes.extend_from_slice(value))
    }

    pub(in crate::run) fn remove(&mut self, key: &[u8]) -> Result<()> {
        if self.get(key).is_none() { Ok(()) } else { self.write(key, |_| ()) }
    }

    /// Sets what a key has to what `value` writes. Values may be large: it is written where it stays.
    pub(in crate::run) fn write(&mut self, key: &[u8], value: impl FnOnce(&mut Writer)) -> Result<()> {
        let frame = self.bytes.len();
        let mut before = 0;
        let written = append_frame(&mut self.bytes, |writer| {
            before = writer.blob(key).bytes.len();
            value(writer);
        });
        written.ok_or_else(|| Error::io("write", &self.path)(ErrorKind::FileTooLarge.into()))?;
        let new = Place { frame, key: key.len() as u32, value: (self.bytes.len() - before) as u32 };
        if self.get(key) == Some(new.value(&self.bytes)) {
            self.bytes.truncate(frame);
            return Ok(());
        }
        self.append(new)?;
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

    /// Writes the last frame into the file.
    fn append(&mut self, new: Place) -> Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let frame = bytes.get(new.frame..).unwrap_or_default();
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(frame));
        if written.is_ok() {
            self.enter(&bytes, new);
        }
        self.bytes = bytes;
        written.or_else(|error| {
            // A torn frame would hide every later one.
            self.cut(new.frame)?;
            Err(Error::io("write", &self.path)(error))
        })
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
mod tests;
