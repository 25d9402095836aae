//! The jobserver: one pool of tokens for our own tasks and for every `make` that runs inside them.
//!
//! A running task holds one token, and each `make` takes the others for its jobs, so ten tasks together use as many
//! cores as the run was given. The pool is a FIFO that each step opens under a fixed descriptor number; why so, and
//! why not one of the crates for this, is in `docs/design/processes.md`. It does not limit a program that does not
//! speak the protocol, nor a recipe that says `make -j8`.
//!
//! The protocol: <https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html>.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use tempfile::TempDir;

use super::cancel::{Cancel, wait};
use crate::error::{Error, Result, errno};

/// A byte in the FIFO is the right to run one job; this is the byte that GNU make writes too.
const TOKEN: u8 = b'+';

/// Small enough for every pipe buffer, and more cores than a build will see for a while.
const MOST_JOBS: usize = 4096;

/// A pool of tokens, shared with every `make` among the running steps.
#[derive(Debug)]
pub(crate) struct Jobserver {
    jobs: usize,
    fifo: OwnedFd,
    path: PathBuf,
    held: Mutex<usize>,
    _dir: TempDir,
}

impl Jobserver {
    /// A pool of `jobs` tokens (1 to 4096), its FIFO in a private directory below `dir` that goes with the pool.
    pub(crate) fn new(dir: &Path, jobs: usize) -> Result<Self> {
        let private = tempfile::Builder::new().prefix("jobserver-").tempdir_in(dir);
        let private = private.map_err(Error::io("create a directory in", dir))?;
        let path = private.path().join("fifo");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, mode, 0).map_err(errno).map_err(Error::io("create", &path))?;
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = rustix::fs::open(&path, flags, Mode::empty()).map_err(errno).map_err(Error::io("open", &path))?;
        let jobserver = Self { jobs: jobs.clamp(1, MOST_JOBS), fifo, path, held: Mutex::new(0), _dir: private };
        jobserver.level()?;
        Ok(jobserver)
    }

    /// Waits for a token; [`Error::Interrupted`] as soon as `cancel` is cancelled.
    pub(crate) fn acquire(&self, cancel: &Cancel) -> Result<JobToken<'_>> {
        loop {
            cancel.check()?;
            if self.take()? {
                return Ok(JobToken { jobserver: self });
            }
            let watch = cancel.watch()?;
            wait(&mut [PollFd::new(&self.fifo, PollFlags::IN), PollFd::new(&watch, PollFlags::IN)], None)?;
        }
    }

    /// What a step's `MAKEFLAGS` has to say, in the words in which `make` says it to its own children.
    pub(crate) fn makeflags(&self) -> OsString {
        format!(" -j{} --jobserver-auth=8,8", self.jobs).into()
    }

    /// What a shell says first so that everything it starts finds the FIFO open as descriptor 8, and makes files of
    /// the same modes whoever runs it. A shell redirects one-digit descriptors only, and 9 is the one that scripts
    /// like to `flock`.
    pub(crate) fn opening(&self) -> OsString {
        let path = self.path.as_os_str().as_bytes();
        let mut opening = b"umask 022; exec 8<>'".to_vec();
        for byte in path {
            match byte {
                b'\'' => opening.extend_from_slice(br"'\''"),
                byte => opening.push(*byte),
            }
        }
        opening.extend_from_slice(b"'; ");
        OsString::from_vec(opening)
    }

    /// Reads a token if there is one; `held` is locked meanwhile, so that it always tells how many are out.
    fn take(&self) -> Result<bool> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match rustix::io::read(&self.fifo, &mut [0; 1]) {
            Ok(count) => *held += count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(false),
            Err(error) => return Err(Error::io("read", &self.path)(errno(error))),
        }
        Ok(true)
    }

    fn give_back(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(1);
        // The FIFO is ours, open and far from full: should a write fail all the same, the next levelling mends it.
        let _written = rustix::io::write(&self.fifo, &[TOKEN]);
        if *held == 0 {
            let _levelled = self.level();
        }
    }

    /// Brings the FIFO to its full number of tokens. Only right while no task runs: a `make` that was killed
    /// took the tokens of its jobs along, and this is the moment at which they are known to be missing.
    fn level(&self) -> Result<()> {
        let there = rustix::io::ioctl_fionread(&self.fifo).map_err(errno).map_err(Error::io("count", &self.path))?;
        let there = usize::try_from(there).unwrap_or(0);
        let result = match there < self.jobs {
            true => rustix::io::write(&self.fifo, &vec![TOKEN; self.jobs - there]),
            false => rustix::io::read(&self.fifo, vec![0; there - self.jobs].as_mut_slice()),
        };
        result.map(drop).map_err(errno).map_err(Error::io("fill", &self.path))
    }
}

/// The right to run one job; given back when dropped.
#[derive(Debug)]
#[must_use = "the token goes back when this is dropped"]
pub(crate) struct JobToken<'a> {
    jobserver: &'a Jobserver,
}

impl Drop for JobToken<'_> {
    fn drop(&mut self) {
        self.jobserver.give_back();
    }
}

#[cfg(test)]
mod tests;
