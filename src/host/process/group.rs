//! A process group that does not outlive its owner.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::error::{Error, Result, errno};

/// A process group and its leader, our child. Dropping it kills whoever is left in it.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    pid: Pid,
    reaped: bool,
}

impl Group {
    pub(super) fn new(leader: Child) -> Self {
        let pid = Pid::from_child(&leader);
        Self { leader, pid, reaped: false }
    }

    /// A descriptor that is readable once the leader has exited.
    pub(super) fn exit(&self) -> Result<OwnedFd> {
        pidfd_open(self.pid, PidfdFlags::empty()).map_err(errno).map_err(Error::io("watch", "child process"))
    }

    /// Sends a signal to every member.
    pub(super) fn signal(&self, signal: Signal) {
        // Fails only if nobody is left.
        let _nobody = kill_process_group(self.pid, signal);
    }

    /// Kills all members, then reaps the leader: in this order, since its id names the group only until then.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        self.reaped = true;
        self.leader.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            let _status = self.end();
        }
    }
}
