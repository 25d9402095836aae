//! Stragglers: programs that a killed build has left running. They would go on writing where the next build writes.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// The variables that tell a step where it has a directory of its own; a recipe may change one of them.
const VARIABLES: [&[u8]; 2] = [b"HOME=", b"TMPDIR="];

/// How often is looked for what those that were found have started meanwhile.
const ROUNDS: usize = 10;

/// How long a program that was killed may take to go.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// Kills the programs whose environment has a directory right below `homes` as theirs, and waits until they are gone.
/// Returns whether there were any. Without a `/proc`, and among other users' programs, none is found.
pub(crate) fn end(homes: &Path) -> bool {
    let mut any = false;
    for _ in 0..ROUNDS {
        let stragglers: Vec<_> = pids().filter_map(|pid| straggler(pid, homes)).collect();
        for straggler in &stragglers {
            // Fails only if it has gone by itself.
            let _gone = pidfd_send_signal(straggler, Signal::KILL);
        }
        any |= !stragglers.is_empty();
        if stragglers.is_empty() || !stragglers.iter().all(is_gone) {
            break;
        }
    }
    any
}

fn pids() -> impl Iterator<Item = Pid> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(|pid| *pid != getpid())
}

/// A descriptor of a program, if it is one to be ended. It is opened first: whoever has the number afterwards is not
/// meant by it.
fn straggler(pid: Pid, homes: &Path) -> Option<OwnedFd> {
    let program = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
    let lives_there = |variable: &[u8]| {
        let home = VARIABLES.iter().find_map(|name| variable.strip_prefix(*name));
        let below = home.and_then(|home| home.strip_prefix(homes.as_os_str().as_bytes())?.strip_prefix(b"/"));
        below.is_some_and(|name| !name.is_empty() && !name.contains(&b'/'))
    };
    environment.split(|byte| *byte == 0).any(lives_there).then_some(program)
}

fn is_gone(program: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(program, PollFlags::IN)], Some(&PATIENCE)).is_ok_and(|ready| ready > 0)
}
