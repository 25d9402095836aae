//! Flights: which artifacts are being fetched or built on this machine just now, as names in one directory.
//!
//! ```text
//! <dir>/<random>.run  locked by a run while it lives, and says who that is
//! <dir>/<hex>.fetch   another name of that file: this run fetches the artifact from a far tier
//! <dir>/<hex>.build   another name of that file: this run builds it
//! ```
//!
//! `<hex>` is the SHA-256 of the artifact's file name. What a run has that is dead nobody has. Nobody waits for another in
//! a circle: who has `.fetch` waits for a tier, which has its time limit, and who has `.build` has all that the task needs
//! and waits for its own steps and uploads alone. Neither asks for a second name of the same kind meanwhile on the same
//! thread, and every wait is bounded besides.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::presence::{Presence, is_vacant};
use crate::error::{Error, Result};
use crate::model::Digest;

/// A directory on this machine in which runs find out about each other. It must not be on a network.
#[derive(Debug, Clone)]
pub struct Flights {
    dir: PathBuf,
    patience: Duration,
    /// Ourselves, from the first flight on.
    presence: Arc<Mutex<Option<Arc<Presence>>>>,
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
    path: PathBuf,
    _presence: Arc<Presence>,
}

/// How often is looked whether one that is waited for has landed: there is no wait for a lock that could be given up.
const INTERVAL: Duration = Duration::from_millis(20);

impl Flights {
    /// Uses a directory, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        Ok(Self { dir, patience: Duration::from_secs(60 * 60), presence: Arc::default() })
    }

    /// How long one run waits for another before it goes its own way; an hour unless said.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The right to an artifact, unless somebody has it.
    pub(super) fn take(&self, name: &str, purpose: Purpose) -> anyhow::Result<Option<Flight>> {
        let path = self.path(name, purpose);
        self.claim(&path).with_context(|| format!("could not claim `{}`", path.display()))
    }

    fn claim(&self, path: &Path) -> io::Result<Option<Flight>> {
        loop {
            let presence = self.presence()?;
            match presence.claim(path) {
                Ok(()) => return Ok(Some(Flight { path: path.to_owned(), _presence: presence })),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !is_vacant(path)? {
                        return Ok(None);
                    }
                }
                // Somebody has removed the directory, or what we are in it before we could lock it.
                Err(error) if error.kind() == ErrorKind::NotFound => self.leave(&presence),
                Err(error) => return Err(error),
            }
        }
    }

    fn presence(&self) -> io::Result<Arc<Presence>> {
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        match &*presence {
            Some(presence) => Ok(presence.clone()),
            None => Ok(presence.insert(Presence::announce(&self.dir)?.into()).clone()),
        }
    }

    /// Gives up a presence that is none any more, unless another thread has done so.
    fn leave(&self, gone: &Arc<Presence>) {
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        presence.take_if(|presence| Arc::ptr_eq(presence, gone));
    }

    /// Waits until nobody has the right to an artifact, the time is over, or `stop` says so.
    pub(super) fn wait(&self, name: &str, purpose: Purpose, stop: &dyn Fn() -> bool) -> anyhow::Result<()> {
        let path = self.path(name, purpose);
        let start = Instant::now();
        while start.elapsed() < self.patience && !stop() {
            if is_vacant(&path).with_context(|| format!("could not look at `{}`", path.display()))? {
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

impl Drop for Flight {
    fn drop(&mut self) {
        let _whoever_wants_it_next_finds_us_gone = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
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
        drop(flights);
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
    fn whoever_removes_the_directory_stops_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let flights = flights(&dir);
        let first = flights.take("a", Purpose::Build).unwrap().unwrap();
        std::fs::remove_dir_all(dir.path().join("flights")).unwrap();
        let second = flights.take("b", Purpose::Build).unwrap().unwrap();
        assert!(flights.take("b", Purpose::Build).unwrap().is_none());
        drop((first, second));
        assert!(flights.take("b", Purpose::Build).unwrap().is_some());
    }

    #[test]
    fn of_many_only_one_flies_at_any_time() {
        let dir = tempfile::tempdir().unwrap();
        let (flying, flown) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut flights = flights(&dir);
                    for round in 0..200 {
                        if round % 20 == 0 {
                            flights = super::tests::flights(&dir); // the run before has ended
                        }
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
