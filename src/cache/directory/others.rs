//! The other writers of a store: who is still there, and what becomes of those who are not.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fault;
use super::layout::Layout;
use super::record::{Record, records};
use super::writer::{LEASE, LOG};

/// Another writer's directory.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) id: String,
    dir: PathBuf,
}

/// What a writer that is gone has left.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    /// What it recorded.
    pub(super) log: Vec<u8>,
    /// Whether it may have stored something that the ledger does not know.
    pub(super) unsettled: bool,
}

/// Beginning of the names of directories whose writers are gone, and which are being removed.
const GONE: &str = ".gone-";

/// The writers of a store beside `own`, and what is left of former ones.
pub(super) fn others(layout: &Layout, own: Option<&str>) -> io::Result<Vec<Other>> {
    let entries = match fs::read_dir(layout.writers()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut others = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(id) = entry.file_name().into_string() else { continue };
        if Some(id.as_str()) != own && entry.file_type()?.is_dir() {
            others.push(Other { dir: entry.path(), id });
        }
    }
    Ok(others)
}

impl Other {
    /// What it has recorded so far.
    pub(super) fn log(&self) -> Vec<u8> {
        fs::read(self.dir.join(LOG)).unwrap_or_default()
    }

    /// Whether its process is alive and has been heard of within the lease, `now` being the time of the file system.
    ///
    /// One that has no log yet may be about to make it.
    pub(super) fn is_alive(&self, now: SystemTime) -> bool {
        if self.id.starts_with(GONE) {
            return false;
        }
        let heard = |path: &Path| fs::metadata(path).is_ok_and(|found| is_recent(&found, path, now));
        let path = self.dir.join(LOG);
        match File::open(&path) {
            Err(_) => heard(&self.dir),
            Ok(log) => matches!(log.try_lock(), Err(TryLockError::WouldBlock)) && heard(&path),
        }
    }

    /// Who it is: `a cortado (process 4711 on mill)`.
    pub(super) fn who(&self) -> Option<String> {
        records(&self.log()).find_map(|record| match record {
            Record::Writer { who, .. } => Some(who),
            _ => None,
        })
    }

    /// Takes what it left, which keeps it from storing anything should it still be there.
    pub(super) fn bury(&mut self) -> io::Result<Legacy> {
        if !self.id.starts_with(GONE) {
            let gone = self.dir.with_file_name(format!("{GONE}{}", self.id));
            fs::rename(&self.dir, &gone)?;
            self.dir = gone;
            fault::point("bury: renamed");
        }
        let log = self.log();
        let unsettled = records(&log).any(|record| match record {
            Record::Put { .. } => true,
            Record::Writer { held, .. } => held > 0,
            _ => false,
        });
        Ok(Legacy { log, unsettled })
    }

    /// Removes what is left of it.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether a file was written within the lease. A time far in the future is from before the clock was set back: it is
/// set anew, and the lease begins.
fn is_recent(found: &fs::Metadata, path: &Path, now: SystemTime) -> bool {
    let Ok(written) = found.modified() else { return false };
    match (now.duration_since(written), written.duration_since(now)) {
        (Ok(age), _) => age <= LEASE,
        (_, Ok(ahead)) if ahead <= LEASE => true,
        _ => File::open(path).and_then(|file| file.set_modified(now)).is_ok(),
    }
}
