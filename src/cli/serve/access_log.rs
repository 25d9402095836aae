//! The access log: a line for each request on the standard output, for people or for programs.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::cli::terminal::Terminal;
use crate::server::{Access, Event};

/// Writes down what a server tells.
#[derive(Debug)]
pub(super) struct AccessLog {
    terminal: Terminal,
    format: LogFormat,
}

/// How requests are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogFormat {
    /// A line for people.
    Text,
    /// A line of JSON.
    Json,
    /// Not at all.
    None,
}

impl AccessLog {
    /// In a format by its name; `text` unless one is given.
    pub(super) fn new(terminal: &Terminal, format: Option<&str>) -> Self {
        let format = match format {
            Some("json") => LogFormat::Json,
            Some("none") => LogFormat::None,
            _ => LogFormat::Text,
        };
        Self { terminal: terminal.clone(), format }
    }

    pub(super) fn tell(&self, event: &Event) {
        match event {
            Event::Request(access) => self.request(access),
            Event::Users { users, faults } => {
                let fault = |fault: &String| self.terminal.line(&format!("users: {fault}"));
                faults.iter().for_each(fault);
                self.terminal.line(&format!("users: {users} can log in"));
            }
            Event::Certificate { problem: None } => self.terminal.line("tls: a new certificate is used"),
            Event::Certificate { problem: Some(problem) } => {
                self.terminal.line(&format!("tls: the old certificate is used, since the new one cannot be: {problem}"))
            }
            Event::Corrupt { name, problem } => {
                self.terminal.line(&format!("corrupt: `{name}` was put aside: {problem}"))
            }
            Event::History { problem } => {
                self.terminal.line(&format!("history: what is counted is lost with the next restart: {problem}"))
            }
            Event::Upstream { name, problem } => {
                let state =
                    problem.as_ref().map_or_else(|| "answers again".into(), |why| format!("is left alone: {why}"));
                self.terminal.line(&format!("upstream: `{name}` {state}"));
            }
            Event::NotBrought { name, problem } => {
                self.terminal.line(&format!("upstream: `{name}` was not kept here: {problem}"))
            }
            Event::NotForwarded { name, problem } => {
                self.terminal.line(&format!("upstream: `{name}` was not forwarded: {problem}"))
            }
        }
    }

    fn request(&self, access: &Access) {
        let line = match self.format {
            LogFormat::None => return,
            LogFormat::Text => text(now(), access),
            LogFormat::Json => json(now(), access),
        };
        // Who reads the log may have gone. The server has not.
        _ = self.terminal.report(&line);
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `1763632845.123 192.0.2.7 ci "GET /v1/artifacts/x" 200 4096 0.002`, and why where it went wrong.
fn text(time: f64, access: &Access) -> String {
    let Access { peer, method, path, status, sent, seconds, .. } = access;
    let user = access.user.as_deref().unwrap_or("-");
    let cause = access.cause.as_ref().map(|cause| format!(" {cause:?}")).unwrap_or_default();
    let broken = if access.complete { "" } else { " broken" };
    format!("{time:.3} {peer} {user} \"{method} {path}\" {status} {sent} {seconds:.4}{broken}{cause}\n")
}

fn json(time: f64, access: &Access) -> String {
    let mut line = json!(access);
    line["time"] = json!(time);
    format!("{line}\n")
}
