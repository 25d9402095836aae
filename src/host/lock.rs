//! A lock on a directory, held by one process at a time and let go of by its death.
//!
//! It is `flock` on a file inside of the directory. The file also says who holds it, for the message of whoever
//! comes second. It stays when the lock is released: were it removed, two could each lock a file of that name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::cancel::{Cancel, passed};
use crate::error::{Error, Result};
use crate::text;

/// How often a held lock is tried again, at first and at last: `flock` offers no wait that a cancelled run could leave.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// What to do when somebody else holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Give up.
    Fail,
    /// Give up after this time.
    UpTo(Duration),
    /// Never give up, unless cancelled.
    Forever,
}

/// A held lock; dropping it lets the next one in.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Locks the file `path`, made if it is missing, and writes `holder` into it: the command that runs, say.
    ///
    /// `on_wait` is called with the present holder once, before the first wait.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] with the directory and its holder if `how` says to give up, [`Error::Interrupted`] if `cancel`
    /// was cancelled while waiting.
    pub(crate) fn acquire(
        path: &Path,
        how: Wait,
        holder: &str,
        cancel: &Cancel,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<Lock> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(Error::io("open", path))?;
        if !try_lock(&file, path)? {
            wait(&file, path, how, cancel, on_wait)?;
        }
        let lock = Lock { file };
        lock.write(&introduce(holder)).map_err(Error::io("write", path))?;
        Ok(lock)
    }

    fn write(&self, holder: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(holder.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _stale_text = self.file.set_len(0);
        // Said, not left to the closing of the file: a child between fork and exec may hold a copy of it.
        let _closing_does_it_too = self.file.unlock();
    }
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

fn wait(file: &File, path: &Path, how: Wait, cancel: &Cancel, on_wait: &mut dyn FnMut(&str)) -> Result<()> {
    let end = match how {
        Wait::Fail => return Err(busy(path)),
        Wait::UpTo(time) => Instant::now().checked_add(time),
        Wait::Forever => None,
    };
    on_wait(&present_holder(path));
    let mut interval = INTERVALS.0;
    while !try_lock(file, path)? {
        if passed(end) {
            return Err(busy(path));
        }
        let left = end.map_or(interval, |end| end.saturating_duration_since(Instant::now()));
        cancel.pause(left.min(interval))?;
        interval = INTERVALS.1.min(interval * 2);
    }
    cancel.check()
}

fn busy(path: &Path) -> Error {
    let dir = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    Error::Busy { dir, holder: present_holder(path) }
}

/// `cortado build (process 4711 on mill)`.
pub(crate) fn introduce(holder: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let place = if host.is_empty() { String::new() } else { format!(" on {}", host.trim()) };
    format!("{holder} (process {}{place})", std::process::id())
}

/// What the file says, and for how long: `cortado build (process 4711 on mill), for 2 min 5 s`.
fn present_holder(path: &Path) -> String {
    let mut holder = String::new();
    let since = File::open(path).and_then(|file| {
        file.take(4096).read_to_string(&mut holder)?;
        path.metadata()?.modified()
    });
    if holder.is_empty() {
        return "another process".to_owned(); // it has not yet said, or no longer says
    }
    match since.ok().and_then(|since| SystemTime::now().duration_since(since).ok()) {
        Some(age) => format!("{holder}, for {}", text::duration(age)),
        None => holder,
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    struct Work {
        dir: tempfile::TempDir,
        path: PathBuf,
        cancel: Cancel,
    }

    impl Work {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("lock");
            Self { dir, path, cancel: Cancel::new() }
        }

        fn lock(&self, how: Wait) -> Result<Lock> {
            Lock::acquire(&self.path, how, "cortado build", &self.cancel, &mut |_| {})
        }
    }

    #[test]
    fn a_second_build_is_told_who_holds_the_directory() {
        let work = Work::new();
        let _first = work.lock(Wait::Fail).unwrap();
        let Err(Error::Busy { dir, holder }) = work.lock(Wait::Fail) else { panic!("two hold it") };
        assert_eq!(dir, work.dir.path());
        let expected = format!("cortado build (process {} on ", std::process::id());
        assert!(holder.starts_with(&expected), "{holder}");
        assert!(holder.contains("), for "), "{holder}");
    }

    #[test]
    fn a_released_lock_can_be_taken_again_and_names_nobody() {
        let work = Work::new();
        drop(work.lock(Wait::Fail).unwrap());
        assert_eq!(std::fs::read_to_string(&work.path).unwrap(), "");
        let _again = work.lock(Wait::Fail).unwrap();
    }

    #[test]
    fn waiting_ends_when_the_holder_lets_go() {
        let work = Work::new();
        let mut first = Some(work.lock(Wait::Fail).unwrap());
        let mut told = Vec::new();
        let second = Lock::acquire(&work.path, Wait::Forever, "second", &work.cancel, &mut |holder| {
            told.push(holder.to_owned());
            first = None;
        });
        let _second = second.unwrap();
        assert_eq!(told.len(), 1, "the wait is announced once");
        assert!(told[0].starts_with("cortado build"));
        assert!(std::fs::read_to_string(&work.path).unwrap().starts_with("second (process "));
    }

    #[test]
    fn waiting_up_to_a_time_gives_up_after_it() {
        let work = Work::new();
        let _first = work.lock(Wait::Fail).unwrap();
        let started = Instant::now();
        let patience = Duration::from_millis(5);
        assert!(matches!(work.lock(Wait::UpTo(patience)), Err(Error::Busy { .. })));
        assert!(started.elapsed() >= patience);
    }

    #[test]
    fn a_cancelled_run_stops_waiting() {
        let work = Work::new();
        let _first = work.lock(Wait::Fail).unwrap();
        let result = Lock::acquire(&work.path, Wait::Forever, "", &work.cancel, &mut |_| work.cancel.cancel());
        assert!(matches!(result, Err(Error::Interrupted)));
    }

    #[test]
    fn a_dead_holder_holds_nothing() {
        let work = Work::new();
        let file = File::create(&work.path).unwrap();
        file.lock().unwrap();
        (&file).write_all(b"a build that will die").unwrap();
        // The lock belongs to the open file, which from here on only the child has.
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(file).spawn().unwrap();
        let Err(Error::Busy { holder, .. }) = work.lock(Wait::Fail) else { panic!("the child holds it") };
        assert!(holder.starts_with("a build that will die"), "{holder}");
        child.kill().unwrap();
        child.wait().unwrap();
        let _ours = work.lock(Wait::Forever).unwrap();
        assert!(std::fs::read_to_string(&work.path).unwrap().starts_with("cortado build (process "));
    }
}
