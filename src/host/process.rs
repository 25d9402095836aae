//! Runs one child process to its end, with everything that it starts.
//!
//! One thread polls the process, its output and the [`Cancel`] token together. Standard output and error share one
//! pipe, so lines arrive in the order in which they were written; the child waits when the observer is slow, and nothing
//! is lost. The child leads a process group of its own, which is dead before [`Process::run`] returns. What has left
//! the group (a daemon that called `setsid`) is out of reach. Nothing here decides what to run or what it means.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;

use super::busy;
use super::cancel::Cancel;
use super::jobserver::Jobserver;
use crate::error::{Error, Result, errno};
use crate::text;

mod group;
mod life;
pub(crate) mod stragglers;

use group::Group;
use life::Life;

/// How long a process may take over ending, once asked, and over its last output, once its leader has ended.
const GRACE: Duration = Duration::from_secs(10);

/// One command, ready to be run.
#[derive(Debug)]
pub(crate) struct Process<'a> {
    what: What,
    /// What messages call it.
    name: String,
    /// The whole environment; nothing of ours is added to it but a jobserver's `MAKEFLAGS`.
    env: &'a BTreeMap<OsString, OsString>,
    dir: &'a Path,
    cancel: &'a Cancel,
    limit: Option<Duration>,
    grace: Duration,
    jobserver: Option<&'a Jobserver>,
}

/// What a process runs.
#[derive(Debug)]
enum What {
    /// A text for `/bin/sh -e`.
    Shell(OsString),
    /// A program, then its arguments.
    Program(Vec<OsString>),
}

/// How a process that succeeded has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All its output was read to the end.
    Complete,
    /// Something that it left behind held its output open in silence and was killed.
    Abandoned,
}

impl<'a> Process<'a> {
    /// `/bin/sh -e -c TEXT`.
    pub(crate) fn shell(
        text: impl AsRef<OsStr>,
        env: &'a BTreeMap<OsString, OsString>,
        dir: &'a Path,
        cancel: &'a Cancel,
    ) -> Self {
        let text = text.as_ref();
        let name = text::first_line(&text.to_string_lossy());
        Self::new(What::Shell(text.to_owned()), name, env, dir, cancel)
    }

    /// A program, looked up in the `PATH` of `env` unless it names a directory, with its arguments.
    pub(crate) fn program<W: AsRef<OsStr>>(
        words: &[W],
        env: &'a BTreeMap<OsString, OsString>,
        dir: &'a Path,
        cancel: &'a Cancel,
    ) -> Self {
        let words: Vec<OsString> = words.iter().map(|word| word.as_ref().to_owned()).collect();
        let name = text::first_line(&words.join(OsStr::new(" ")).to_string_lossy());
        Self::new(What::Program(words), name, env, dir, cancel)
    }

    fn new(what: What, name: String, env: &'a BTreeMap<OsString, OsString>, dir: &'a Path, cancel: &'a Cancel) -> Self {
        Self { what, name, env, dir, cancel, limit: None, grace: GRACE, jobserver: None }
    }

    /// How long it may take; without end if never said.
    pub(crate) fn limit(self, limit: Option<Duration>) -> Self {
        Self { limit, ..self }
    }

    /// How long it may take over ending, once asked, and (when its leader has ended) over its next sign of life,
    /// before it is killed: 10 seconds if never said.
    #[cfg(test)]
    pub(crate) fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Shares a jobserver with every `make` that it starts.
    pub(crate) fn jobserver(self, jobserver: Option<&'a Jobserver>) -> Self {
        Self { jobserver, ..self }
    }

    /// Runs it to its end, handing on every line of its output, without its newline, as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Spawn`] if it cannot be started, [`Error::Command`] if it fails, [`Error::TimedOut`] and
    /// [`Error::Interrupted`] if it was stopped.
    pub(crate) fn run(&self, on_line: &mut dyn FnMut(&[u8])) -> Result<Ending> {
        self.cancel.check()?;
        let watch = self.cancel.watch()?;
        let (group, output) = self.start()?;
        Life::new(self, group, output, watch)?.live(on_line)
    }

    fn start(&self) -> Result<(Group, PipeReader)> {
        let (output, input) = io::pipe().map_err(Error::io("create", "pipe"))?;
        let errors = input.try_clone().map_err(Error::io("clone", "pipe"))?;
        let mut command = self.command()?;
        command.stdin(Stdio::null()).stdout(input).stderr(errors).process_group(0);
        let spawned = {
            let _nobody_writes_programs = busy::starting();
            command.spawn()
        };
        let group = spawned.map_err(|error| self.not_started(error)).map(Group::new)?;
        Ok((group, output))
    }

    fn command(&self) -> Result<Command> {
        let opening = self.jobserver.map(Jobserver::opening);
        let mut command = match (&self.what, opening) {
            (What::Shell(text), opening) => {
                let mut line = opening.unwrap_or_default();
                line.push(text);
                shell(&["-e".as_ref(), "-c".as_ref(), &line])
            }
            (What::Program(words), None) => {
                let (program, args) = self.split(words)?;
                let mut command = Command::new(program);
                command.args(args);
                command
            }
            (What::Program(words), Some(mut opening)) => {
                let (program, args) = self.split(words)?;
                opening.push(r#"exec "$@""#);
                let mut command = shell(&["-c".as_ref(), &opening, "sh".as_ref()]);
                command.arg(program).args(args);
                command
            }
        };
        command.current_dir(self.dir).env_clear();
        if let Some(jobserver) = self.jobserver {
            command.env("MAKEFLAGS", jobserver.makeflags());
        }
        command.envs(self.env); // a task's own MAKEFLAGS win
        Ok(command)
    }

    /// A program's full path, and its arguments.
    fn split<'w>(&self, words: &'w [OsString]) -> Result<(PathBuf, &'w [OsString])> {
        let (program, args) = words.split_first().ok_or_else(|| self.not_started(errno(Errno::NOENT)))?;
        Ok((self.resolve(program)?, args))
    }

    /// The program's full path. The standard library would look it up as well, but not without a fork, which
    /// costs tens of milliseconds where the embedding process is large.
    fn resolve(&self, program: &OsStr) -> Result<PathBuf> {
        if program.as_encoded_bytes().contains(&b'/') {
            return Ok(self.dir.join(program));
        }
        let path = self.env.get(OsStr::new("PATH")).map(OsString::as_os_str).unwrap_or_default();
        let mut places = std::env::split_paths(path).filter(|dir| !dir.as_os_str().is_empty());
        let found = places.find_map(|dir| Some(self.dir.join(dir).join(program)).filter(|file| is_executable(file)));
        found.ok_or_else(|| self.not_started(errno(Errno::NOENT)))
    }

    fn not_started(&self, source: io::Error) -> Error {
        if !self.dir.is_dir() {
            return Error::io("run a command in", self.dir)(source);
        }
        let program = match &self.what {
            What::Shell(_) => "/bin/sh".to_owned(),
            What::Program(words) => words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default(),
        };
        Error::Spawn { program, source }
    }
}

fn shell(args: &[&OsStr]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(args);
    command
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
