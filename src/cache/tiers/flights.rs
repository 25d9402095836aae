//! Flights: which artifacts are being fetched or built on this machine just now, as locked files of one directory.
//!
//! ```text
//! <dir>/<hex>.fetch   locked by the run that fetches the artifact from a far tier
//! <dir>/<hex>.build   locked by the run that builds it; says who that is
//! ```
//!
//! `<hex>` is the SHA-256 of the artifact's file name. The kernel lets go of a lock when its holder dies, however that
//! happens. Nobody waits for another in a circle: who holds `.fetch` waits for a tier, which has its time limit, and who
//! holds `.build` has all that the task needs and waits for its own steps and uploads alone. Neither asks for a second
//! lock of the same kind meanwhile on the same thread, and every wait is bounded besides.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::error::{Error, Result};
use crate::host::lock::introduce;
use crate::model::Digest;

/// A directory on this machine in which runs find out about each other. It must not be on a network.
#[derive(Debug, Clone)]
pub struct Flights {
    dir: PathBuf,
    patience: Duration,
}

/// What an artifact is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Fetch,
    Build,
}

/// The right to fetch or build one artifact; dropping it lets the others look.
#[derive(Debug)]
pub(super) struct Flight {
    file: File,
    path: PathBuf,
}

/// How often a lock that is waited for is tried: there is no wait for one that could be given up.
const INTERVAL: Duration = Duration::from_millis(20);

impl Flights {
    /// Uses a directory, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        Ok(Self { dir, patience: Duration::from_secs(60 * 60) })
    }

    /// How long one run waits for another before it goes its own way; an hour unless said.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The right to an artifact, unless somebody has it.
    pub(super) fn take(&self, name: &str, purpose: Purpose) -> anyhow::Result<Option<Flight>> {
        let path = self.path(name, purpose);
        take(&path).with_context(|| format!("could not lock `{}`", path.display()))
    }

    /// Waits until nobody has the right to an artifact, the time is over, or `stop` says so.
    pub(super) fn wait(&self, name: &str, purpose: Purpose, stop: &dyn Fn() -> bool) -> anyhow::Result<()> {
        let path = self.path(name, purpose);
        let start = Instant::now();
        while start.elapsed() < self.patience && !stop() {
            if is_free(&path).with_context(|| format!("could not look at `{}`", path.display()))? {
                break;
            }
            std::thread::sleep(INTERVAL);
        }
        Ok(())
    }

    /// Who builds an artifact just now.
    pub(super) fn holder(&self, name: &str) -> String {
        let mut holder = String::new();
        let file = File::open(self.path(name, Purpose::Build));
        let read = file.and_then(|file| file.take(1024).read_to_string(&mut holder));
        match read {
            Ok(length) if length > 0 => holder,
            _ => "another run".to_owned(), // it has not yet said
        }
    }

    fn path(&self, name: &str, purpose: Purpose) -> PathBuf {
        let ending = match purpose {
            Purpose::Fetch => "fetch",
            Purpose::Build => "build",
        };
        self.dir.join(format!("{}.{ending}", Digest::of(name)))
    }
}

fn take(path: &Path) -> io::Result<Option<Flight>> {
    loop {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            // Its last holder removed it between our opening and our locking it.
            Ok(()) if file.metadata()?.nlink() == 0 => {}
            Ok(()) => {
                file.set_len(0)?;
                // Who it is, is for people; a disk that is full is no reason not to fly.
                _ = (&file).write_all(introduce("cortado").as_bytes());
                return Ok(Some(Flight { file, path: path.to_owned() }));
            }
        }
    }
}

/// Whether nobody holds the lock. Several may look at once: each holds it for a moment, but shared.
fn is_free(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody can lock it afterwards and believe to be alone.
        let _next_holder_takes_it_over = std::fs::remove_file(&self.path);
        // Said, not left to the closing of the file: a child between fork and exec may hold a copy of it.
        let _closing_does_it_too = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn flights(dir: &tempfile::TempDir) -> Flights {
        Flights::open(dir.path().join("flights")).unwrap()
    }

    #[test]
    fn one_flies_and_the_others_wait_until_it_has_landed() {
        let dir = tempfile::tempdir().unwrap();
        let flights = flights(&dir);
        let flight = flights.take("a", Purpose::Build).unwrap().unwrap();
        assert!(flights.take("a", Purpose::Build).unwrap().is_none());
        assert!(flights.holder("a").starts_with("cortado (process "), "{}", flights.holder("a"));
        assert!(
            flights.take("a", Purpose::Fetch).unwrap().is_some()
                && flights.take("b", Purpose::Build).unwrap().is_some()
        );
        let mut flight = Some(flight);
        let asked = std::cell::Cell::new(0);
        let land = std::cell::RefCell::new(&mut flight);
        flights
            .wait("a", Purpose::Build, &|| {
                asked.set(asked.get() + 1);
                drop(land.borrow_mut().take());
                false
            })
            .unwrap();
        assert_eq!(asked.get(), 1, "it was free as soon as the other had landed");
        assert_eq!(std::fs::read_dir(dir.path().join("flights")).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn a_wait_ends_with_patience_and_when_nobody_wants_it_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let flights = flights(&dir);
        let _flight = flights.take("a", Purpose::Build).unwrap().unwrap();
        flights.wait("a", Purpose::Build, &|| true).unwrap();
        flights.clone().patience(Duration::from_millis(1)).wait("a", Purpose::Build, &|| false).unwrap();
    }

    #[test]
    fn a_dead_holder_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let flights = flights(&dir);
        let path = flights.path("a", Purpose::Build);
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        // The lock belongs to the open file, which from here on only the child has.
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(file).spawn().unwrap();
        assert!(flights.take("a", Purpose::Build).unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        flights.wait("a", Purpose::Build, &|| false).unwrap();
        assert!(flights.take("a", Purpose::Build).unwrap().is_some());
    }

    #[test]
    fn of_many_only_one_flies_at_any_time() {
        let dir = tempfile::tempdir().unwrap();
        let flights = flights(&dir);
        let (flying, flown) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Some(flight) = flights.take("a", Purpose::Build).unwrap() else { continue };
                        assert_eq!(flying.fetch_add(1, Ordering::SeqCst), 0);
                        flown.fetch_add(1, Ordering::SeqCst);
                        flying.fetch_sub(1, Ordering::SeqCst);
                        drop(flight);
                    }
                });
            }
        });
        assert!(flown.load(Ordering::SeqCst) > 0);
    }
}
