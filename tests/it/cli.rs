//! The command line, told as stories: a recipe, a command, what it said and did, a change, the command again.

mod build;
mod cache;
mod clean;
mod config;
mod failures;
mod help;
mod interrupt;
mod json;
mod locking;
mod output;
mod plan;
mod readme;
mod rest;
mod why;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tempfile::TempDir;

/// Two tasks of which the second needs the first.
const SHOP: &str = r#"
local shop = project "shop" { install_dir = "out", version = "1.0", license = "MIT" }
shop:task "zlib" {
  version = "1.3",
  license = "Zlib",
  build = function(t) t:command "echo zlib > @{stage_install_dir}/zlib" end,
}
shop:task "app" {
  version = "2",
  depends_on = { "zlib" },
  build = function(t) t:command "cat @{install_dir}/zlib > @{stage_install_dir}/app" end,
}
"#;

/// A directory with a recipe in it, and a cache of its own beside.
struct Shop {
    dir: TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A command that is running.
struct Running {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    said: String,
    out: JoinHandle<String>,
}

impl Shop {
    fn new(recipe: &str) -> Self {
        let shop = Self { dir: tempfile::tempdir().unwrap() };
        shop.write("cortado.lua", recipe);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The directory as the commands see it.
    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Changes the recipe.
    fn replace(&self, old: &str, new: &str) {
        let recipe = self.read("cortado.lua");
        assert!(recipe.contains(old), "{recipe}");
        self.write("cortado.lua", &recipe.replace(old, new));
    }

    /// The command with an environment in which only this directory exists.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cortado"));
        command.args(args).current_dir(self.root()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let output = self.command(args).envs(env.iter().copied()).output().unwrap();
        self.ran(output.status, &output.stdout, &output.stderr)
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args).ends(0);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let out = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let err = BufReader::new(child.stderr.take().unwrap());
        Running { child, err, said: String::new(), out }
    }

    /// A named pipe: a step that has it open is alive until the other end sees it closed.
    fn fifo(&self, name: &str) -> PathBuf {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, self.path(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        self.path(name)
    }

    fn ran(&self, status: ExitStatus, out: &[u8], err: &[u8]) -> Ran {
        let text = |bytes| {
            let text = String::from_utf8(Vec::from(bytes)).unwrap();
            text.replace(self.root().to_str().unwrap(), "[shop]")
        };
        Ran { code: status.code(), out: text(out), err: text(err) }
    }
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Checks what was said besides, without times.
    #[track_caller]
    fn says(self, expected: &str) -> Self {
        assert_eq!(timeless(&self.err), expected, "{self:?}");
        self
    }

    /// Checks that something was said besides.
    #[track_caller]
    fn mentions(self, expected: &str) -> Self {
        assert!(self.err.contains(expected), "{expected}\n{}", self.err);
        self
    }

    /// Checks what was reported, without times.
    #[track_caller]
    fn reports(self, expected: &str) -> Self {
        assert_eq!(timeless(&self.out), expected, "{self:?}");
        self
    }
}

impl Running {
    /// Reads what the command says until it says this.
    #[track_caller]
    fn until(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            assert_ne!(self.err.read_line(&mut line).unwrap(), 0, "`{text}` was never said: {}", self.said);
            self.said.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    fn end(mut self, shop: &Shop) -> Ran {
        self.err.read_to_string(&mut self.said).unwrap();
        let status = self.child.wait().unwrap();
        let out = self.out.join().unwrap();
        shop.ran(status, out.as_bytes(), self.said.as_bytes())
    }
}

/// A text with `T` for every duration.
fn timeless(text: &str) -> String {
    let mut rest = text;
    let mut result = String::new();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let (number, after) = digits.split_at(end);
        result.push_str(before);
        let unit = [" ms", " s"].into_iter().find(|unit| {
            after.strip_prefix(unit).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        });
        result.push_str(if unit.is_some() { "T" } else { number });
        rest = after.strip_prefix(unit.unwrap_or_default()).unwrap_or(after);
    }
    result + rest
}

/// The names of what is in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| OsStr::to_str(&name).unwrap().to_owned()).collect();
    names.sort();
    names
}
