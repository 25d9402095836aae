//! The life of a running process: what is waited for, and what happens when it comes.

use std::io::{self, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use super::group::Group;
use super::{Ending, Process};
use crate::error::{Error, Result, errno};
use crate::host::cancel::{Watch, passed, wait};
use crate::host::lines::Lines;

/// Bytes read between two looks at the token and the clock: small, because an observer may be slow.
const CHUNK: usize = 8 * 1024;

/// A running process and what is being waited for.
pub(super) struct Life<'a> {
    process: &'a Process<'a>,
    group: Group,
    watch: Watch,
    /// Readable when the leader has exited; `None` afterwards.
    exit: Option<OwnedFd>,
    /// `None` once every writer has closed it.
    output: Option<PipeReader>,
    /// When the limit is reached.
    end: Option<Instant>,
    phase: Phase,
}

/// How far a process has come. It only moves down this list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The leader runs.
    Running,
    /// The leader has exited and others hold the output open; they are killed if silent until then.
    Lingering { until: Option<Instant> },
    /// The group got SIGTERM and gets SIGKILL then.
    Asked { why: Reason, until: Option<Instant> },
    /// The group got SIGKILL.
    Killed { why: Reason },
}

/// Why a group was told to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Limit,
    Cancelled,
    Silence,
}

impl<'a> Life<'a> {
    pub(super) fn new(process: &'a Process<'a>, group: Group, output: PipeReader, watch: Watch) -> Result<Self> {
        let exit = Some(group.exit()?);
        let end = process.limit.and_then(|limit| Instant::now().checked_add(limit));
        Ok(Self { process, group, watch, exit, output: Some(output), end, phase: Phase::Running })
    }

    /// Sees it through to its end.
    pub(super) fn live(mut self, on_line: &mut dyn FnMut(&[u8])) -> Result<Ending> {
        let mut lines = Lines::default();
        while !self.is_over() {
            self.step(&mut lines, on_line)?;
        }
        self.drain(&mut lines, on_line)?;
        lines.finish(on_line);
        self.judge()
    }

    /// Waits for the next thing to happen, and acts on it.
    fn step(&mut self, lines: &mut Lines, on_line: &mut dyn FnMut(&[u8])) -> Result<()> {
        let ready = self.wait()?;
        if ready.cancel {
            self.watch.acknowledge();
            self.cancelled();
        }
        if ready.output {
            self.read(lines, on_line)?;
        }
        if ready.exit {
            self.exit = None;
            self.linger();
        }
        self.look_at_the_clock();
        Ok(())
    }

    fn is_over(&self) -> bool {
        let killed = matches!(self.phase, Phase::Killed { .. });
        self.exit.is_none() && (self.output.is_none() || killed)
    }

    fn wait(&self) -> Result<Ready> {
        let until = match self.phase {
            Phase::Running => self.end,
            Phase::Lingering { until } => self.end.into_iter().chain(until).min(),
            Phase::Asked { until, .. } => until,
            Phase::Killed { .. } => None,
        };
        let mut fds = vec![PollFd::new(&self.watch, PollFlags::IN)];
        fds.extend(self.exit.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(self.output.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        wait(&mut fds, until)?;
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut next = |polled: bool| polled && ready.next().unwrap_or(false);
        Ok(Ready { cancel: next(true), exit: next(self.exit.is_some()), output: next(self.output.is_some()) })
    }

    fn read(&mut self, lines: &mut Lines, on_line: &mut dyn FnMut(&[u8])) -> Result<usize> {
        let Some(output) = &mut self.output else { return Ok(0) };
        let mut chunk = [0; CHUNK];
        let count = match output.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(0),
            result => result.map_err(Error::io("read the output of", &self.process.name))?,
        };
        lines.feed(chunk.get(..count).unwrap_or_default(), on_line);
        match (count, self.phase) {
            (0, _) => self.output = None,
            (_, Phase::Lingering { .. }) => self.linger(),
            _ => {}
        }
        Ok(count)
    }

    /// Reads what is in the pipe and no more: what has escaped from the group might write for ever.
    fn drain(&mut self, lines: &mut Lines, on_line: &mut dyn FnMut(&[u8])) -> Result<()> {
        let waiting = self.output.as_ref().map(rustix::io::ioctl_fionread).transpose();
        let mut left = waiting.map_err(errno).map_err(Error::io("count", "output"))?.unwrap_or(0);
        while left > 0 && self.output.is_some() {
            left = left.saturating_sub(self.read(lines, on_line)? as u64);
        }
        Ok(())
    }

    /// The leader has exited, or the others have just written something.
    fn linger(&mut self) {
        if matches!(self.phase, Phase::Running | Phase::Lingering { .. }) {
            self.phase = Phase::Lingering { until: self.after_grace() };
        }
    }

    fn cancelled(&mut self) {
        let forced = self.process.cancel.is_forced();
        match self.phase {
            Phase::Running | Phase::Lingering { .. } if forced => self.kill(Reason::Cancelled),
            Phase::Running | Phase::Lingering { .. } => self.ask(Reason::Cancelled),
            Phase::Asked { why, .. } if forced => self.kill(why),
            Phase::Asked { .. } | Phase::Killed { .. } => {}
        }
    }

    fn look_at_the_clock(&mut self) {
        match self.phase {
            Phase::Running | Phase::Lingering { .. } if passed(self.end) => self.ask(Reason::Limit),
            Phase::Lingering { until } if passed(until) => self.kill(Reason::Silence),
            Phase::Asked { why, until } if passed(until) => self.kill(why),
            _ => {}
        }
    }

    fn ask(&mut self, why: Reason) {
        self.group.signal(Signal::TERM);
        self.group.signal(Signal::CONT); // a stopped process cannot answer
        self.phase = Phase::Asked { why, until: self.after_grace() };
    }

    fn kill(&mut self, why: Reason) {
        self.group.signal(Signal::KILL);
        self.phase = Phase::Killed { why };
    }

    fn after_grace(&self) -> Option<Instant> {
        Instant::now().checked_add(self.process.grace)
    }

    fn judge(mut self) -> Result<Ending> {
        let name = &self.process.name;
        let status = self.group.end().map_err(Error::io("wait for", name))?;
        match (self.phase, self.process.limit) {
            (Phase::Asked { why: Reason::Limit, .. } | Phase::Killed { why: Reason::Limit }, Some(limit)) => {
                Err(Error::TimedOut { command: name.clone(), limit })
            }
            (Phase::Asked { .. } | Phase::Killed { why: Reason::Cancelled }, _) => Err(Error::Interrupted),
            _ if !status.success() => {
                Err(Error::Command { command: name.clone(), code: status.code(), signal: status.signal() })
            }
            (Phase::Killed { .. }, _) => Ok(Ending::Abandoned),
            (Phase::Running | Phase::Lingering { .. }, _) => Ok(Ending::Complete),
        }
    }
}

/// Which of the polled descriptors have something to say.
struct Ready {
    cancel: bool,
    exit: bool,
    output: bool,
}
