//! The register: the file of users, read again when it changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::users::Users;
use crate::server::event::{Event, Observer};
use crate::server::stamp::Stamp;
use crate::{Error, Result};

/// The file, and who is in it.
#[derive(Debug)]
pub(super) struct Register {
    path: PathBuf,
    observer: Observer,
    current: Mutex<(Option<Stamp>, Arc<Users>)>,
}

impl Register {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read. Lines that cannot be understood are told to the observer.
    pub(super) fn open(path: &Path, observer: Observer) -> Result<Self> {
        let failed = |source| Error::Io { verb: "read", path: path.to_owned(), source };
        let stamp = Stamp::of(path).map_err(failed)?;
        let users = read(path, &observer).map_err(failed)?;
        Ok(Self { path: path.to_owned(), observer, current: Mutex::new((Some(stamp), users)) })
    }

    /// Everybody who may come in now. Nobody may while the file cannot be read.
    pub(super) fn users(&self) -> Arc<Users> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&self.path).ok();
        if stamp.is_none() || current.0 != stamp {
            *current = (
                stamp,
                read(&self.path, &self.observer).unwrap_or_else(|error| self.unreadable(stamp, &current, &error)),
            );
        }
        current.1.clone()
    }

    fn unreadable(&self, stamp: Option<Stamp>, current: &(Option<Stamp>, Arc<Users>), error: &io::Error) -> Arc<Users> {
        if stamp.is_some() || current.0.is_some() {
            let problem = format!("`{}` cannot be read, and nobody can log in: {error}", self.path.display());
            self.observer.tell(|| Event::Users { users: 0, faults: vec![problem] });
        }
        Arc::default()
    }
}

fn read(path: &Path, observer: &Observer) -> io::Result<Arc<Users>> {
    let users = Users::parse(&String::from_utf8_lossy(&fs::read(path)?));
    observer.tell(|| Event::Users { users: users.count(), faults: users.faults.clone() });
    Ok(Arc::new(users))
}
