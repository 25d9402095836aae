//! A run that is alive, as the others on this machine see it: a locked file, which says who that is, and whose further
//! names are what the run has claimed.
//!
//! To claim something is to give the file one more name, which costs a fraction of a file of its own. The kernel lets go
//! of the lock when the run dies, however that happens; then the names may be taken away, by whoever has the lock.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use tempfile::TempPath;

use crate::host::lock::introduce;

/// How the file of a run is called.
const ENDING: &str = ".run";

/// The file of this run. Dropping it lets go of all that is still claimed.
#[derive(Debug)]
pub(super) struct Presence {
    file: File,
    path: TempPath,
}

impl Presence {
    /// Makes a file in `dir`, which is made if it is missing, and takes away what the dead have left there.
    pub(super) fn announce(dir: &Path) -> io::Result<Presence> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let _another_time = is_vacant(&entry?.path());
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix("").suffix(ENDING).permissions(Permissions::from_mode(0o644));
        let (file, path) = builder.tempfile_in(dir)?.into_parts();
        file.lock()?;
        // Who it is, is for people; a disk that is full is no reason not to go on.
        let _nobody_waits_for_it = (&file).write_all(introduce("cortado").as_bytes());
        Ok(Presence { file, path })
    }

    /// Claims what `name` stands for. An `AlreadyExists` says that somebody has it, or had when he died.
    pub(super) fn claim(&self, name: &Path) -> io::Result<()> {
        fs::hard_link(&self.path, name)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Said, not left to the closing of the file: a child between fork and exec may hold a copy of it.
        let _closing_does_it_too = self.file.unlock();
    }
}

/// Whether no living run has claimed `name`. What a dead one has left of it is removed.
pub(super) fn is_vacant(name: &Path) -> io::Result<bool> {
    // For writing too, without which NFS gives no such lock.
    let file = match OpenOptions::new().read(true).write(true).open(name) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    // Only who has the lock removes names of this file: if it is still one, it is so until we have removed it.
    let removed = match fs::symlink_metadata(name) {
        Ok(found) if found.ino() == file.metadata()?.ino() => fs::remove_file(name),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    let _closing_does_it_too = file.unlock();
    removed.map(|()| true)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A run in a process of its own, as far as it can be seen, which has claimed `name`.
    fn other(dir: &Path, name: &Path) -> Child {
        let path = dir.join("other.run");
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        fs::hard_link(&path, name).unwrap();
        // The lock belongs to the open file, which from here on only the child has.
        Command::new("cat").stdin(Stdio::piped()).stdout(file).spawn().unwrap()
    }

    fn end(mut child: Child, dir: &Path) {
        child.kill().unwrap();
        child.wait().unwrap();
        // Whoever was just being started by another thread has a copy of the file for a moment more.
        let file = File::open(dir.join("other.run")).unwrap();
        file.lock().unwrap();
        file.unlock().unwrap();
    }

    fn count(dir: &Path) -> usize {
        fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn what_a_run_has_is_free_when_it_dies() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("a.build");
        let other = other(dir.path(), &name);
        let own = Presence::announce(dir.path()).unwrap();
        assert!(!is_vacant(&name).unwrap());
        assert_eq!(own.claim(&name).unwrap_err().kind(), ErrorKind::AlreadyExists);
        end(other, dir.path());
        assert!(is_vacant(&name).unwrap() && !name.exists());
        own.claim(&name).unwrap();
        assert!(!is_vacant(&name).unwrap() && name.exists());
    }

    #[test]
    fn what_the_dead_have_left_goes_and_what_the_living_have_stays() {
        let dir = tempfile::tempdir().unwrap();
        let dead = other(dir.path(), &dir.path().join("a.build"));
        let alive = Presence::announce(dir.path()).unwrap();
        alive.claim(&dir.path().join("b.build")).unwrap();
        assert_eq!(count(dir.path()), 4);
        end(dead, dir.path());
        let own = Presence::announce(dir.path()).unwrap();
        assert_eq!(count(dir.path()), 3);
        assert!(!is_vacant(&dir.path().join("b.build")).unwrap());
        drop((alive, own));
        assert_eq!(count(dir.path()), 1, "what was claimed by who is gone");
        assert!(is_vacant(&dir.path().join("b.build")).unwrap());
    }
}
