//! What earlier runs left behind: what is installed, how long builds took, what files hash to.
//!
//! Losing it costs time, never correctness: a task without a record is installed again, and finds its files in place.
//! How records lie on disk is the [journal]'s business; values are decoded when they are asked for, so that
//! opening costs little more than reading the file.

pub(crate) mod installed;
mod journal;

use std::path::Path;
use std::time::{Duration, SystemTime};

pub(crate) use installed::{Heading, Holding, Installed, Owned, Print, Record};
pub(super) use journal::Journal;

use crate::cache::codec::{Reader, Writer};
use crate::error::Result;
use crate::host::listing::{Stat, bytes};
use crate::model::Digest;

/// The first byte of a record's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// Install directory and task to [`Installed`].
    Installed = b'i',
    /// Task to nanoseconds.
    Duration = b'd',
    /// Path to the stat and digest of a file.
    Hash = b'h',
}

/// A file changed this short a time ago may change again without its times telling.
const TOO_FRESH: Duration = Duration::from_secs(2);

/// The state of a work directory. Every change is on disk when the call returns, as far as a crash of this program goes.
#[derive(Debug)]
pub(crate) struct State {
    journal: Journal,
    /// Stands for the install directory: what is installed in another one is none of this run's business.
    place: [u8; 8],
}

impl State {
    /// Opens the state file, or starts one.
    ///
    /// # Errors
    ///
    /// A newer cortado wrote it: what it says of installed files must not be lost by going on without.
    pub(crate) fn open(path: &Path, install_dir: &Path) -> Result<State> {
        Ok(State { journal: Journal::open(path)?, place: place(install_dir) })
    }

    /// The state as it is, for looking only: what is set afterwards is not kept.
    pub(crate) fn look(path: &Path, install_dir: &Path) -> Result<State> {
        Ok(State { journal: Journal::look(path)?, place: place(install_dir) })
    }

    /// The state if it is there and unharmed; otherwise nothing is changed.
    pub(crate) fn whole(path: &Path, install_dir: &Path) -> Result<Option<State>> {
        Ok(Journal::whole(path)?.map(|journal| State { journal, place: place(install_dir) }))
    }

    /// Leaves out what counts no more, if that is worth a new file: the next runs read all of it.
    pub(crate) fn tidy(&mut self) -> Result<()> {
        self.journal.tidy()
    }

    /// How many bytes of a torn or corrupt end were dropped on opening; 0 after a clean end.
    pub(crate) fn dropped(&self) -> usize {
        self.journal.dropped()
    }

    /// What a task has installed.
    pub(crate) fn installed(&self, task: &str) -> Option<Installed> {
        self.journal.get(&self.installed_key(task)).and_then(Installed::decode)
    }

    /// The same, without decoding what it says of paths.
    pub(crate) fn record(&self, task: &str) -> Option<Record<'_>> {
        self.journal.get(&self.installed_key(task)).and_then(Record::read)
    }

    /// Every task that has something installed in this place, in no order.
    pub(crate) fn all_installed(&self) -> impl Iterator<Item = (&str, Installed)> {
        self.records().filter_map(|(task, value)| Some((task, Installed::decode(value)?)))
    }

    /// The names of those tasks, without a look at what they have installed.
    pub(crate) fn installed_tasks(&self) -> impl Iterator<Item = &str> {
        self.records().map(|(task, _)| task)
    }

    /// How many tasks these are.
    pub(crate) fn count_installed(&self) -> usize {
        let prefix = self.installed_key("");
        self.journal.iter().filter(|(key, _)| key.starts_with(&prefix)).count()
    }

    fn records(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.journal.iter().filter_map(|(key, value)| {
            let task = key.strip_prefix(&[Kind::Installed as u8])?.strip_prefix(&self.place)?;
            Some((std::str::from_utf8(task).ok()?, value))
        })
    }

    pub(crate) fn set_installed(&mut self, task: &str, installed: &Installed) -> Result<()> {
        self.journal.write(&self.installed_key(task), |writer| installed.write(writer))
    }

    /// The same, of paths that are held elsewhere.
    pub(crate) fn set_record<'o>(
        &mut self,
        task: &str,
        heading: Heading<'_>,
        owned: impl ExactSizeIterator<Item = (&'o Path, Holding)>,
    ) -> Result<()> {
        self.journal.write(&self.installed_key(task), |writer| heading.write(owned, writer))
    }

    /// Forgets what a task has installed and how long it took.
    pub(crate) fn forget(&mut self, task: &str) -> Result<()> {
        self.journal.remove(&self.installed_key(task))?;
        self.journal.remove(&key(Kind::Duration, task.as_bytes()))
    }

    /// How long the last build of a task took.
    pub(crate) fn duration(&self, task: &str) -> Option<Duration> {
        let value = self.journal.get(&key(Kind::Duration, task.as_bytes()))?;
        Reader::new(value).number().map(Duration::from_nanos)
    }

    pub(crate) fn set_duration(&mut self, task: &str, duration: Duration) -> Result<()> {
        let mut value = Writer::default();
        value.number(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        self.journal.set(key(Kind::Duration, task.as_bytes()), &value.bytes)
    }

    /// The digest of a file's content, if the file is still the one that was hashed.
    pub(crate) fn hash(&self, path: &Path, stat: &Stat) -> Option<Digest> {
        let value = self.journal.get(&key(Kind::Hash, bytes(path)))?;
        Reader::new(value.strip_prefix(identity(stat).as_slice())?).digest()
    }

    /// Remembers the digest of a file, unless the file is so fresh that its times could miss the next change.
    ///
    /// `stat` is of before the file was read.
    pub(crate) fn remember_hash(&mut self, path: &Path, stat: &Stat, digest: &Digest) -> Result<()> {
        let changed = stat.ctime.0.max(stat.mtime.0).try_into().map(Duration::from_secs).unwrap_or_default();
        let settled = SystemTime::UNIX_EPOCH.checked_add(changed + TOO_FRESH);
        if settled.is_none_or(|settled| settled > SystemTime::now()) {
            return Ok(());
        }
        let mut value = Writer { bytes: identity(stat) };
        value.digest(digest);
        self.journal.set(key(Kind::Hash, bytes(path)), &value.bytes)
    }

    fn installed_key(&self, task: &str) -> Vec<u8> {
        [&[Kind::Installed as u8], self.place.as_slice(), task.as_bytes()].concat()
    }
}

fn place(install_dir: &Path) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(bytes(install_dir)).as_bytes();
    [a, b, c, d, e, f, g, h]
}

fn key(kind: Kind, name: &[u8]) -> Vec<u8> {
    [&[kind as u8], name].concat()
}

/// What makes a file the same file as before. The link count is not part of it, though `ctime` moves with it.
fn identity(stat: &Stat) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(stat.device).number(stat.inode).number(stat.size).time(stat.mtime).time(stat.ctime);
    writer.bytes
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn stat(size: u64) -> Stat {
        Stat { size, mtime: (-1, 5), ctime: (7, 8), device: 1, inode: 2, links: 1 }
    }

    fn reopened(change: impl FnOnce(&mut State)) -> State {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        change(&mut State::open(&path, Path::new("/opt/shop")).unwrap());
        State::open(&path, Path::new("/opt/shop")).unwrap()
    }

    #[test]
    fn what_was_said_is_known_in_the_next_run() {
        let installed = Installed { tag: "t".into(), complete: true, ..Installed::default() };
        let state = reopened(|state| {
            state.set_installed("zlib", &installed).unwrap();
            state.set_duration("zlib", Duration::from_nanos(1_234)).unwrap();
            state.set_duration("zlib", Duration::from_nanos(5_678)).unwrap();
        });
        assert_eq!(state.installed("zlib").as_ref(), Some(&installed));
        assert_eq!(state.all_installed().collect::<Vec<_>>(), [("zlib", installed)]);
        assert_eq!(state.duration("zlib"), Some(Duration::from_nanos(5_678)));
        assert_eq!((state.installed("tag"), state.duration("tag"), state.dropped()), (None, None, 0));
    }

    #[test]
    fn a_forgotten_task_stays_forgotten() {
        let state = reopened(|state| {
            state.set_installed("zlib", &Installed::default()).unwrap();
            state.set_duration("zlib", Duration::from_secs(1)).unwrap();
            state.forget("zlib").unwrap();
            state.forget("never known").unwrap();
        });
        assert_eq!((state.installed("zlib"), state.duration("zlib")), (None, None));
    }

    #[test]
    fn a_hash_holds_as_long_as_the_file_does() {
        let (path, digest) = (Path::new("src/main.c"), Digest::of("content"));
        let state = reopened(|state| state.remember_hash(path, &stat(3), &digest).unwrap());
        assert_eq!(state.hash(path, &stat(3)), Some(digest));
        assert_eq!(state.hash(path, &Stat { links: 2, ..stat(3) }), Some(digest));
        for changed in [stat(4), Stat { inode: 3, ..stat(3) }, Stat { ctime: (7, 9), ..stat(3) }] {
            assert_eq!(state.hash(path, &changed), None);
        }
        assert_eq!(state.hash(Path::new("src/other.c"), &stat(3)), None);
    }

    #[test]
    fn a_file_that_has_just_changed_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fresh");
        fs::write(&path, "").unwrap();
        let stat = Stat::of(&fs::metadata(&path).unwrap());
        let state = reopened(|state| state.remember_hash(&path, &stat, &Digest::of("")).unwrap());
        assert_eq!(state.hash(&path, &stat), None);
    }
}
