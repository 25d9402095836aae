//! The writer: one open store, as the others of the same directory see it.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::clock::Clock;
use super::disk::Disk;
use super::fault;
use super::layout::Layout;
use super::ledger::Ledger;
use super::record::Record;
use super::room::Room;

/// How long a writer may be silent before the others take back what was granted to it.
pub(super) const LEASE: Duration = Duration::from_secs(600);

/// A log of more bytes than that is handed over to the journal.
const LONG_LOG: u64 = 1 << 20;

/// The name of the log in a writer's directory.
pub(super) const LOG: &str = "log";

/// A directory in `writers`, with a log that is locked as long as its process lives.
///
/// Whoever takes back a grant renames the directory first. From then on nothing that the writer does by a path in it
/// succeeds: a process that was stopped for an hour and goes on cannot store what it has no room for.
#[derive(Debug)]
pub(super) struct Writer {
    id: String,
    who: String,
    dir: PathBuf,
    log: Mutex<Log>,
    clock: Clock,
    links: Links,
    drafts: AtomicU64,
    /// Bytes of records in the log.
    recorded: AtomicU64,
    room: Mutex<Room>,
}

/// What a writer has done.
#[derive(Debug)]
struct Log {
    file: File,
    /// When it was last written. After a long silence somebody may have removed it.
    heard: Instant,
}

/// Whether a file from elsewhere can become an object as it is.
#[derive(Debug)]
struct Links {
    /// Owner, group and mode of a file that is made here: the umask, the setgid bit and the configuration have been at it.
    own: (u32, u32, u32),
    /// Whether directories here hand down an ACL, which a file from elsewhere would lack.
    acl: bool,
}

impl Writer {
    /// Makes a writer in a store.
    pub(super) fn register(layout: &Layout, disk: &Disk) -> io::Result<Self> {
        let (id, who) = (fresh_id(), crate::host::lock::introduce("a cortado"));
        let dir = layout.writers().join(&id);
        fault::point("register: begin");
        make_dir(&dir, layout, disk)?;
        fault::point("register: directory made");
        let log = open_log(&dir, disk, &who)?;
        fault::point("register: log made");
        let made = log.metadata()?;
        let links = Links { own: (made.uid(), made.gid(), made.mode() & 0o7777), acl: hands_down(&dir) };
        let clock = Clock::starting_at(Ledger::read(layout).map_or(0, |ledger| ledger.clock));
        let log = Mutex::new(Log { file: log, heard: Instant::now() });
        let (drafts, recorded, room) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::default());
        Ok(Self { id, who, dir, log, clock, links, drafts, recorded, room })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    pub(super) fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room, unless somebody else is at it.
    pub(super) fn try_room(&self) -> Option<MutexGuard<'_, Room>> {
        self.room.try_lock().ok()
    }

    /// Adds a record to the log.
    pub(super) fn record(&self, record: &Record) -> io::Result<()> {
        let line = record.line();
        self.recorded.fetch_add(line.len() as u64, Ordering::Relaxed);
        let mut log = self.log();
        if log.heard.elapsed() > LEASE / 10 && log.file.metadata()?.nlink() == 0 {
            return Err(io::Error::new(ErrorKind::NotFound, "others have taken this process for dead"));
        }
        log.heard = Instant::now();
        log.file.write_all(&line)
    }

    /// Tells the others that this writer is at work, though it has nothing to say.
    pub(super) fn keep_alive(&self) -> io::Result<()> {
        self.log().file.write_all(b"\n")
    }

    /// The path of a file that will become an object.
    pub(super) fn draft_path(&self) -> PathBuf {
        self.dir.join(self.drafts.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Whether the others have taken back its grant.
    pub(super) fn is_gone(&self) -> bool {
        !self.dir.join(LOG).exists()
    }

    /// Whether a link to a file from elsewhere may be what a new file is here.
    pub(super) fn links(&self) -> bool {
        !self.links.acl
    }

    /// Whether a file has the owner, group and mode of one that is made here.
    pub(super) fn is_as_made_here(&self, file: &fs::Metadata) -> bool {
        file.is_file() && (file.uid(), file.gid(), file.mode() & 0o7777) == self.links.own
    }

    /// Hands the log over: `keep` gets what it says, and it begins anew. Nothing is recorded meanwhile.
    pub(super) fn hand_over(&self, held: u64, keep: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let log = self.log();
        keep(&fs::read(self.dir.join(LOG))?)?;
        log.file.set_len(0)?;
        self.recorded.store(0, Ordering::Relaxed);
        fault::point("settle: log emptied");
        begin(&log.file, &self.who, held)
    }

    /// Whether there is more in the log than its first line.
    pub(super) fn has_records(&self) -> bool {
        self.recorded.load(Ordering::Relaxed) > 0
    }

    /// Whether the log is so long that it should be handed over.
    pub(super) fn has_much_to_say(&self) -> bool {
        self.recorded.load(Ordering::Relaxed) > LONG_LOG
    }

    /// Leaves the store. It must be settled.
    pub(super) fn leave(&self) {
        // What cannot be removed now is found by whoever needs room next.
        _ = fs::remove_file(self.dir.join(LOG));
        fault::point("leave: log removed");
        _ = fs::remove_dir(&self.dir);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a log that is locked from the moment it is there: a log without a lock is a dead one's.
fn open_log(dir: &Path, disk: &Disk, who: &str) -> io::Result<File> {
    let draft = dir.join("log.new");
    let log = OpenOptions::new().append(true).create_new(true).open(&draft)?;
    disk.share_file(&log)?;
    log.try_lock()?;
    begin(&log, who, 0)?;
    fs::rename(draft, dir.join(LOG))?;
    Ok(log)
}

/// Writes the first line of a log.
fn begin(mut log: &File, who: &str, held: u64) -> io::Result<()> {
    log.write_all(&Record::Writer { who: who.to_owned(), held }.line())
}

/// Makes a writer's directory, and the one of all writers if somebody has removed it from a store that is there.
fn make_dir(dir: &Path, layout: &Layout, disk: &Disk) -> io::Result<()> {
    match disk.make_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound && layout.format().exists() => {
            disk.make_dir(&layout.writers())?;
            disk.make_dir(dir)
        }
        made => made,
    }
}

/// Whether files made in a directory get an ACL. Where that cannot be told there are none.
fn hands_down(dir: &Path) -> bool {
    let found = rustix::fs::getxattr(dir, "system.posix_acl_default", &mut [0_u8; 0][..]);
    !matches!(found, Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM))
}

/// `mill-4711-5f3a…`: for people to read, and random for machines that share a name.
fn fresh_id() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let host: String = host.trim().chars().take(40).map(plain).collect();
    let random = RandomState::new().hash_one(std::process::id());
    format!("{host}-{}-{random:016x}", std::process::id())
}
