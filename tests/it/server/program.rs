//! The program `cortado serve` itself, where a story needs a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::client::{Answer, Request};

/// A running program. It is killed when it is dropped.
pub(super) struct Program {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
    err: BufReader<ChildStderr>,
}

impl Program {
    pub(super) fn start(dir: &Path, more: &[&str]) -> Self {
        Self::start_by(&mut Command::new(env!("CARGO_BIN_EXE_cortado")), dir, more)
    }

    /// Starts it by way of some other program, which is given its path and arguments.
    pub(super) fn start_by(command: &mut Command, dir: &Path, more: &[&str]) -> Self {
        Self::launch(command.arg("serve").arg(dir).args(["--listen", "127.0.0.1:0"]).args(more))
    }

    /// Starts what a command says, as it is.
    pub(super) fn launch(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("://") {
            line.clear();
            assert!(err.read_line(&mut line).unwrap() > 0, "it ended before it served");
        }
        let address = line.trim().rsplit("//").next().unwrap().parse().unwrap();
        Self { child, address, err }
    }

    /// Waits until it says something, and tells all that it has said till then.
    pub(super) fn says(&mut self, text: &str) -> String {
        let mut said = String::new();
        while !said.contains(text) {
            assert!(self.err.read_line(&mut said).unwrap() > 0, "it never said `{text}`: {said}");
        }
        said
    }

    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(super) fn get(&self, name: &str) -> Answer {
        Request::new("GET", &format!("/v1/artifacts/{name}")).send(self.address)
    }

    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Answer {
        Request::new("PUT", &format!("/v1/artifacts/{name}")).body(content).send(self.address)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
