//! The `git` program in a small environment of ours: no configuration of the user or the system, no questions at a
//! terminal, only transports that a recipe may name, and an end when the run is cancelled.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Error, Result};
use crate::host::busy;

/// The transports that git may use, as `GIT_ALLOW_PROTOCOL` lists them. `ext::` runs commands, so it is not here.
pub(super) const PROTOCOLS: &str = "file:https:http:ssh:git";

/// Where programs are looked for unless the caller says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long to wait between two looks at whether git has ended.
const NAP: Duration = Duration::from_millis(5);

/// How to run git for one repository.
#[derive(Clone)]
pub(super) struct Program<'a> {
    url: &'a str,
    env: Vec<(&'a str, String)>,
    mirror: Option<PathBuf>,
    cancelled: &'a dyn Fn() -> bool,
}

impl<'a> Program<'a> {
    /// Git with a clean environment, and `env` in addition.
    pub(super) fn new(url: &'a str, env: &'a [(String, String)], cancelled: &'a dyn Fn() -> bool) -> Self {
        let ours = [
            ("PATH", PATH),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", PROTOCOLS),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
        ];
        let ours = ours.map(|(name, value)| (name, value.to_owned())).into_iter();
        let theirs = env.iter().map(|(name, value)| (name.as_str(), value.clone()));
        Self { url, env: ours.chain(theirs).collect(), mirror: None, cancelled }
    }

    /// The same, working on a bare repository.
    pub(super) fn within(mut self, mirror: &Path) -> Self {
        self.mirror = Some(mirror.to_path_buf());
        self
    }

    /// The same, with one more variable.
    pub(super) fn with(mut self, name: &'a str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// Whether the repository has a file of its own of this name.
    pub(super) fn dir_has(&self, name: &str) -> bool {
        self.mirror.as_ref().is_some_and(|mirror| mirror.join(name).exists())
    }

    /// Runs git for what it does.
    pub(super) fn run(&self, args: &[&str]) -> Result<()> {
        self.output(args).map(drop)
    }

    /// Runs git for what it says. What is not UTF-8 in it is replaced.
    pub(super) fn output(&self, args: &[&str]) -> Result<String> {
        let spawned = {
            let _nobody_writes_programs = busy::starting();
            self.command(args).spawn()
        };
        let mut child = spawned.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.error("the program `git` is not installed, or not in its PATH"),
            _ => self.error(format!("`git` could not be started: {error}")),
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            let stdout = scope.spawn(|| drain(stdout));
            let stderr = scope.spawn(|| drain(stderr));
            let status = self.wait(&mut child);
            let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
            match status? {
                status if status.success() => Ok(stdout),
                status => Err(self.error(complaint(&stderr, status))),
            }
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(self.env.iter().map(|(name, value)| (*name, value)));
        command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.autocrlf=false"]);
        command.args(["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]);
        if let Some(mirror) = &self.mirror {
            command.arg("--git-dir").arg(mirror);
        }
        command.args(args).current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Waits for the end; if the run is cancelled, brings it about for git and its helpers.
    fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        loop {
            if (self.cancelled)() {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return Err(Error::Interrupted);
            }
            if let Some(status) = child.try_wait().map_err(Error::io("wait for", "git"))? {
                return Ok(status);
            }
            thread::sleep(NAP);
        }
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        let shown = redact(self.url);
        Error::Git { reason: reason.into().replace(self.url, &shown), url: shown }
    }
}

/// A repository's address without its credentials. In `git@host:path` there are none.
pub(super) fn redact(url: &str) -> String {
    crate::host::http::redact(url)
}

fn drain(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    // What came before a failure is worth showing.
    let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What git said went wrong, on one line.
fn complaint(stderr: &str, status: ExitStatus) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let fatal = lines.iter().find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")));
    match fatal.or(lines.last().copied()) {
        Some(line) => line.to_owned(),
        None => format!("`git` failed with {status}"),
    }
}
