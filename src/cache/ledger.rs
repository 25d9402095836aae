//! The ledger: statistics that outlive the run, in a directory that many processes share.
//!
//! ```text
//! <dir>/statistics.json   a JSON object with `format` (now 1) and the members of `Statistics`; replaced as a whole
//! <dir>/statistics.lock   locked by whoever is about to replace it
//! ```
//!
//! Losing it costs numbers and no build: what is damaged is begun anew, and what cannot be written is given up.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::statistics::Statistics;
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::fs;
use crate::host::lock::{Lock, Wait};

/// Statistics kept in a directory.
///
/// ```
/// # fn main() -> cortado::Result<()> {
/// # let dir = tempfile::tempdir().unwrap();
/// let ledger = cortado::Ledger::new(dir.path());
/// assert_eq!(ledger.read()?.runs, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    dir: PathBuf,
}

const FORMAT: u32 = 1;

/// More than this was not written by us.
const LARGEST: u64 = 16 << 20;

/// Somebody who holds the lock longer than this has been stopped.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Page {
    format: u32,
    #[serde(flatten)]
    statistics: Statistics,
}

/// What every format has.
#[derive(Deserialize)]
struct Cover {
    format: u32,
}

impl Ledger {
    /// The ledger in `dir`, which is made when there is something to write.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The numbers so far; those of a ledger that was never written are all zero, and of a damaged one too.
    ///
    /// # Errors
    /// When it cannot be read; [`Error::Newer`] when a newer cortado has written it.
    pub fn read(&self) -> Result<Statistics> {
        let path = self.page();
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Statistics::default()),
            Err(error) => Err(Error::io("read", &path)(error)),
            Ok(_) => decode(&path, &bytes),
        }
    }

    /// Adds the numbers of a run.
    ///
    /// # Errors
    /// When it cannot be written, or somebody keeps it locked; [`Error::Newer`] when a newer cortado has written it.
    pub fn add(&self, run: &Statistics) -> Result<()> {
        let _lock = self.lock()?;
        let mut kept = self.read()?;
        kept.since = kept.since.or_else(now);
        kept.add(run);
        self.write(kept)
    }

    /// Begins anew.
    ///
    /// # Errors
    /// Like those of [`add`](Ledger::add).
    pub fn zero(&self) -> Result<()> {
        let _lock = self.lock()?;
        self.read()?;
        self.write(Statistics { since: now(), ..Statistics::default() })
    }

    fn write(&self, statistics: Statistics) -> Result<()> {
        let path = self.page();
        let text = serde_json::to_string_pretty(&Page { format: FORMAT, statistics });
        let text = text.map_err(io::Error::other).map_err(Error::io("write", &path))?;
        fs::write_atomic(&path, text.as_bytes())
    }

    fn lock(&self) -> Result<Lock> {
        std::fs::create_dir_all(&self.dir).map_err(Error::io("create", &self.dir))?;
        let path = self.dir.join("statistics.lock");
        Lock::acquire(&path, Wait::UpTo(PATIENCE), "cortado", &Cancel::new(), &mut |_| {})
    }

    fn page(&self) -> PathBuf {
        self.dir.join("statistics.json")
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<Statistics> {
    let anew = Statistics { damaged: 1, ..Statistics::default() };
    match serde_json::from_slice::<Cover>(bytes) {
        Ok(cover) if cover.format > FORMAT => {
            Err(Error::Newer { path: path.to_owned(), found: cover.format.to_string(), known: FORMAT })
        }
        _ => Ok(serde_json::from_slice::<Page>(bytes).map_or(anew, |page| page.statistics)),
    }
}

fn now() -> Option<u64> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::counts::Counts;

    fn one_run() -> Statistics {
        let mut run = Statistics { runs: 1, ..Statistics::default() };
        let saved = Duration::from_millis(1500);
        let counts = Counts { requests: 3, hits: 1, saved, bytes_read: 1 << 40, ..Counts::default() };
        run.add_tier("local", &counts);
        run.add_task("shop/zlib", &counts);
        run
    }

    #[test]
    fn numbers_add_up_until_they_are_zeroed() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(dir.path().join("new"));
        assert_eq!(ledger.read().unwrap(), Statistics::default());
        ledger.add(&one_run()).unwrap();
        ledger.add(&one_run()).unwrap();
        let kept = ledger.read().unwrap();
        let local = &kept.tiers["local"];
        assert_eq!((kept.runs, local.requests, local.hits, local.bytes_read), (2, 6, 2, 2 << 40));
        assert_eq!((local.saved, kept.tasks["shop/zlib"].clone()), (Duration::from_secs(3), local.clone()));
        assert!(kept.since.is_some());
        ledger.zero().unwrap();
        let zeroed = ledger.read().unwrap();
        assert_eq!((zeroed.runs, zeroed.tiers.len(), zeroed.since.is_some()), (0, 0, true));
    }

    #[test]
    fn many_writers_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| Ledger::new(dir.path()).add(&one_run()).unwrap()));
            }
        });
        assert_eq!(Ledger::new(dir.path()).read().unwrap().tiers["local"].requests, 60);
    }

    #[test]
    fn damage_costs_numbers_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(dir.path());
        ledger.add(&one_run()).unwrap();
        let path = ledger.page();
        let whole = std::fs::read(&path).unwrap();
        let damages = [&whole[..whole.len() / 2], b"", b"\0\xff", b"[]", b"{\"format\":1,\"runs\":-1}"];
        for (number, damaged) in damages.into_iter().enumerate() {
            std::fs::write(&path, damaged).unwrap();
            ledger.add(&one_run()).unwrap();
            let kept = ledger.read().unwrap();
            assert_eq!((kept.runs, kept.damaged), (1, 1), "{number}");
        }
        std::fs::write(&path, "{\"format\":1,\"tiers\":{\"local\":{\"requests\":18446744073709551615}}}").unwrap();
        ledger.add(&one_run()).unwrap();
        assert_eq!(ledger.read().unwrap().tiers["local"].requests, u64::MAX);
    }

    #[test]
    fn a_newer_ledger_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(dir.path());
        let newer = "{\"format\":2,\"pages\":[]}";
        std::fs::write(ledger.page(), newer).unwrap();
        for refused in [ledger.add(&one_run()), ledger.zero(), ledger.read().map(drop)] {
            assert!(matches!(refused, Err(Error::Newer { known: FORMAT, .. })));
        }
        assert_eq!(std::fs::read_to_string(ledger.page()).unwrap(), newer);
    }
}
