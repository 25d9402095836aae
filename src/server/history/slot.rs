//! The slot: the file in which a server keeps its counts, so that a restart does not lose them.
//!
//! ```text
//! <dir>/
//!   <n>.lock   locked by the server that has the slot
//!   <n>.json   its counts, replaced as a whole
//!   <n>.new    the next ones, half written
//! ```
//!
//! Several servers of one directory have a slot each, and read those of the others.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::counts::Counts;

/// The version that this program writes.
const VERSION: u32 = 1;

/// Servers that one directory has room for.
const SLOTS: u32 = 16;

/// The longest file that is read: several times what bounded counts can take.
const LONGEST: u64 = 32 << 20;

/// A slot that is ours until we drop it.
#[derive(Debug)]
pub(super) struct Slot {
    dir: PathBuf,
    number: u32,
    _lock: File,
}

/// The file, as JSON.
#[derive(Serialize, Deserialize)]
struct Kept<C> {
    version: u32,
    #[serde(flatten)]
    counts: C,
}

impl Slot {
    /// Takes the first slot that nobody has, with what was kept in it.
    ///
    /// # Errors
    /// When there is none, or the directory cannot be written.
    pub(super) fn take(dir: &Path) -> io::Result<(Self, Counts)> {
        fs::create_dir_all(dir)?;
        for number in 0..SLOTS {
            let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path(dir, number, "lock"))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => continue,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            match read(&path(dir, number, "json")) {
                // A newer cortado has made that one, and wants it back.
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                counts => return Ok((Self { dir: dir.to_owned(), number, _lock: lock }, counts.unwrap_or_default())),
            }
        }
        Err(io::Error::other(format!("all of its {SLOTS} places are taken")))
    }

    /// Keeps counts: all of them, or what was kept before stays.
    pub(super) fn keep(&self, counts: &Counts) -> io::Result<()> {
        let draft = path(&self.dir, self.number, "new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&Kept { version: VERSION, counts })?)?;
        file.sync_all()?;
        fs::rename(&draft, path(&self.dir, self.number, "json"))
    }

    /// What the other servers of this directory have kept, as far as it can be read.
    pub(super) fn others(&self) -> Vec<Counts> {
        let others = (0..SLOTS).filter(|number| *number != self.number);
        others.filter_map(|number| read(&path(&self.dir, number, "json")).ok()).collect()
    }
}

fn path(dir: &Path, number: u32, ending: &str) -> PathBuf {
    dir.join(format!("{number}.{ending}"))
}

/// Reads counts. What was never kept, or cannot be understood, is an error; what is of a newer version is `Unsupported`.
fn read(path: &Path) -> io::Result<Counts> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    let kept: Kept<serde_json::Value> = serde_json::from_slice(&text)?;
    match kept.version {
        VERSION => Ok(Counts::deserialize(kept.counts)?),
        _ => Err(ErrorKind::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Tally;
    use super::*;

    fn counts(hits: usize) -> Counts {
        let mut counts = Counts::default();
        (0..hits).for_each(|_| counts.count(Some("shop-zlib"), 1_700_000_000, Tally::HIT));
        counts
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let (slot, found) = Slot::take(dir.path()).unwrap();
        assert_eq!(found, Counts::default());
        slot.keep(&counts(3)).unwrap();
        drop(slot);
        assert_eq!(Slot::take(dir.path()).unwrap().1, counts(3));
    }

    #[test]
    fn two_servers_have_a_slot_each_and_read_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = Slot::take(dir.path()).unwrap();
        let (second, _) = Slot::take(dir.path()).unwrap();
        first.keep(&counts(3)).unwrap();
        second.keep(&counts(4)).unwrap();
        assert_eq!((first.others(), second.others()), (vec![counts(4)], vec![counts(3)]));
    }

    #[test]
    fn what_cannot_be_understood_is_begun_anew_and_what_is_newer_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("0.json"), r#"{"version":2,"beans":1}"#).unwrap();
        fs::write(dir.path().join("1.json"), r#"{"version":1,"minutes":{"#).unwrap();
        let (slot, found) = Slot::take(dir.path()).unwrap();
        assert_eq!((slot.number, found), (1, Counts::default()));
        slot.keep(&counts(1)).unwrap();
        assert!(fs::read_to_string(dir.path().join("0.json")).unwrap().contains("beans"));
    }

    #[test]
    fn a_draft_that_was_not_finished_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        Slot::take(dir.path()).unwrap().0.keep(&counts(2)).unwrap();
        fs::write(dir.path().join("0.new"), "{\"ver").unwrap();
        let (slot, found) = Slot::take(dir.path()).unwrap();
        assert_eq!(found, counts(2));
        slot.keep(&counts(5)).unwrap();
        assert!(!dir.path().join("0.new").exists());
    }
}
