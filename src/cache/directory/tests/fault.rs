//! The test's half of faults: a child process that is hit by a signal at one of the places.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

/// Says what happens where: `kill 7` at the seventh place, `stop books: locked` at the first of that name.
const FAULT: &str = "CORTADO_FAULT";

/// The directory that a child shall work in.
const ROOM: &str = "CORTADO_FAULT_ROOM";

/// A place between two file operations.
pub(in super::super) fn point(place: &'static str) {
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(fault) = std::env::var(FAULT) else { return };
    let Some((how, at)) = fault.split_once(' ') else { return };
    let number = PASSED.fetch_add(1, Ordering::Relaxed);
    if at == place || at.parse() == Ok(number) {
        let signal = if how == "kill" { Signal::KILL } else { Signal::STOP };
        kill_process(getpid(), signal).unwrap();
        // The signal hits the process; until it hits this thread, too, this thread goes no further.
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// A process that tells a story of this binary; killed when the test ends.
pub(super) struct Teller(Child);

impl Teller {
    /// Begins to tell the test of that path in a directory.
    pub(super) fn begin(story: &str, room: &std::path::Path, fault: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("cache::directory::tests::{story}"), "--nocapture", "--test-threads=1"])
            .env(ROOM, room)
            .env(FAULT, fault)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    /// Waits until it was stopped.
    pub(super) fn stopped(self) -> Self {
        let (_, status) = waitpid(Some(Pid::from_child(&self.0)), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
        self
    }

    /// Lets it go on, and waits for its end.
    pub(super) fn goes_on(self) -> ExitStatus {
        kill_process(Pid::from_child(&self.0), Signal::CONT).unwrap();
        self.end()
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Where to work, in a child; `None` in the test itself.
pub(super) fn room() -> Option<std::path::PathBuf> {
    std::env::var_os(ROOM).map(Into::into)
}
