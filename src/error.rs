//! Everything that can go wrong, as values: one public enum with a case per noun or phase.
//!
//! Every case names its place (task, file, line, URL) and [`Error::hint`] says what to do about it.
//! Texts are lower-case fragments with names in backticks, so that they can be nested: a foreign cause is
//! printed once, by the case that holds it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::text;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and (through [`Error::hint`]) what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("could not {verb} `{}`: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`, `rename`.
        verb: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },

    /// A project, task, source or command says something that cannot be.
    #[error("{place}: {problem}")]
    Invalid {
        /// Where: ``task `zlib` ``, ``project `shop`, install_dir``.
        place: String,
        /// What is wrong with it.
        problem: String,
        /// How to mend it.
        hint: String,
    },

    /// A recipe file has a mistake in it.
    #[error("{}: {problem}", place(file, *line))]
    Recipe {
        /// The recipe or a module it requires.
        file: PathBuf,
        /// Line of the mistake, from 1; 0 where none is known.
        line: usize,
        /// What is wrong.
        problem: String,
        /// How to mend it, or empty.
        hint: String,
    },

    /// Tasks depend on each other in a circle.
    #[error("tasks depend on each other in a circle: {}", .path.join(" -> "))]
    Cycle {
        /// The circle, its first task repeated at the end.
        path: Vec<String>,
    },

    /// A name that nothing bears.
    #[error("{}", unknown(kind, name, wanted_by.as_deref()))]
    Unknown {
        /// What was looked for: `task`, `dependency`.
        kind: &'static str,
        /// The name that was not found.
        name: String,
        /// The task that asked for it.
        wanted_by: Option<String>,
        /// The nearest name that exists.
        nearest: Option<String>,
    },

    /// Two tasks with one name.
    #[error("two tasks are named `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },

    /// An archive that cannot be unpacked, or a tree that cannot be packed.
    #[error("archive `{archive}`: {problem}")]
    Archive {
        /// The archive, as a path or a tag.
        archive: String,
        /// What is wrong with it, naming the member where there is one.
        problem: String,
    },

    /// Content that is not what its checksum promises.
    #[error("{what}: wrong {algorithm}: expected {expected}, found {found}")]
    Checksum {
        /// Where the content came from.
        what: String,
        /// `sha256`, `sha512`, `sha1` or `md5`.
        algorithm: &'static str,
        /// The promised digest, in lower-case hex.
        expected: String,
        /// The digest of what arrived, in lower-case hex.
        found: String,
    },

    /// A download that failed, after all its attempts.
    #[error("could not download `{url}`: {reason}")]
    Download {
        /// The address, without credentials.
        url: String,
        /// Why the last attempt failed.
        reason: String,
    },

    /// The network is needed but forbidden.
    #[error("`{url}` is not in the source cache, and the network is forbidden")]
    Offline {
        /// The address that would have been fetched.
        url: String,
    },

    /// The `git` program failed or is missing.
    #[error("git source `{url}`: {reason}")]
    Git {
        /// The repository, without credentials.
        url: String,
        /// What git said.
        reason: String,
    },

    /// A patch that does not apply.
    #[error("patch `{patch}`: {}", rejected(file, *hunk, reason))]
    Patch {
        /// The patch's file name, or `inline`.
        patch: String,
        /// The file that was to be changed, relative to the source directory.
        file: String,
        /// The rejected hunk, from 1; 0 when the trouble is with the file as a whole.
        hunk: usize,
        /// Why.
        reason: String,
    },

    /// A template that cannot be rendered.
    #[error("template `{template}`: {reason}")]
    Template {
        /// The template's file name, or `inline`.
        template: String,
        /// What the template engine said, with the line.
        reason: String,
    },

    /// A command that could not be started.
    #[error("could not start `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system answered.
        source: io::Error,
    },

    /// A command that ended badly.
    #[error("`{command}` {}", text::ending(*code, *signal))]
    Command {
        /// The command's first line.
        command: String,
        /// Its exit code, when it exited.
        code: Option<i32>,
        /// The signal that ended it, when one did.
        signal: Option<i32>,
    },

    /// A step that took longer than its task allows.
    #[error("`{command}` did not finish within {}", text::duration(*limit))]
    TimedOut {
        /// The command's first line.
        command: String,
        /// The task's time limit.
        limit: Duration,
    },

    /// A step that is not a process failed: a block, a copy of something absent.
    #[error("{step}: {problem}")]
    Step {
        /// The step, as in its event.
        step: String,
        /// What went wrong.
        problem: String,
    },

    /// A licence file that a task names is not there.
    #[error("license file `{file}` does not exist for `{task}`")]
    LicenseMissing {
        /// The task.
        task: String,
        /// The file, relative to the task's source directory.
        file: String,
    },

    /// Two tasks install one path with different content.
    #[error("`{first}` and `{second}` both install `{}`, with different content", path.display())]
    Conflict {
        /// The path.
        path: PathBuf,
        /// The task that has installed it.
        first: String,
        /// The task that wants to.
        second: String,
    },

    /// A path that a task installs is there already and belongs to no task.
    #[error("`{}`, which `{task}` installs, exists already and belongs to no task", path.display())]
    Unowned {
        /// The path.
        path: PathBuf,
        /// The task.
        task: String,
    },

    /// A task staged something outside the project's install directory.
    #[error("`{}`, which `{task}` installs, is outside `{}`", path.display(), install_dir.display())]
    Outside {
        /// The task.
        task: String,
        /// What it staged, as the path it would have when installed.
        path: PathBuf,
        /// The project's install directory.
        install_dir: PathBuf,
    },

    /// A directory that is not ours to use.
    #[error("`{}` is not a {what}", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// What it should have been: `cortado work directory`.
        what: &'static str,
    },

    /// Data on disk that a newer cortado wrote.
    #[error("`{}` has format {found}; this cortado reads format {known}", path.display())]
    Newer {
        /// The file or directory.
        path: PathBuf,
        /// The version found.
        found: String,
        /// The version this program knows.
        known: u32,
    },

    /// Another build holds a directory.
    #[error("`{}` is in use by {holder}", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// The holder, as it wrote itself into the lock.
        holder: String,
    },

    /// The cache failed, and the policy says that this matters.
    #[error("cache {operation} of `{tag}` failed: {reason}")]
    Cache {
        /// `fetch` or `update`.
        operation: &'static str,
        /// The artifact's tag.
        tag: String,
        /// Why.
        reason: String,
    },

    /// The cache has to answer, by its own settings or by the policy, and does not.
    #[error("the cache is required and of no use: {reason}")]
    Unready {
        /// Which part of it, and why.
        reason: String,
    },

    /// Something in user code: a block, a decide function, a callback.
    #[error("{0:#}")]
    User(#[from] anyhow::Error),

    /// A task failed; the cause is inside.
    #[error("task `{task}`: {source}")]
    Task {
        /// The task.
        task: String,
        /// The full log of its run, if it got so far.
        log: Option<PathBuf>,
        /// Why it failed.
        source: Box<Error>,
    },

    /// The run was interrupted by its caller.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// What to do about it, as a sentence without a full stop; `None` where the text says all there is.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Invalid { hint, .. } | Error::Recipe { hint, .. } => (!hint.is_empty()).then(|| hint.clone()),
            Error::Cycle { .. } => Some("remove one of these dependencies".into()),
            Error::Unknown { nearest, .. } => nearest.as_ref().map(|name| format!("did you mean `{name}`?")),
            Error::Duplicate { .. } => Some("rename one of them".into()),
            Error::Checksum { .. } => Some(
                "nothing was kept; if upstream really replaced the file, put the new checksum into the recipe".into(),
            ),
            Error::Offline { .. } => {
                Some("allow the network, or put the file into a directory given with `--sources`".into())
            }
            Error::LicenseMissing { .. } => {
                Some("paths in `license_files` are relative to the task's source directory".into())
            }
            Error::Conflict { second, first, .. } => {
                Some(format!("if `{second}` is meant to replace it, say so with `overrides` naming `{first}`"))
            }
            Error::Unowned { .. } => {
                Some("move it away, or allow such files to be replaced with `--replace-unowned`".into())
            }
            Error::Outside { .. } => {
                Some("install below `install_dir`, or list the path in the project's `extra_files`".into())
            }
            Error::Foreign { .. } => Some("choose another directory, or an empty one".into()),
            Error::Newer { .. } => Some("use the newer cortado, or another directory".into()),
            Error::Busy { .. } => Some("wait for it to finish, or use another work directory".into()),
            Error::Spawn { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(missing_program()),
            Error::Command { code: Some(NOT_FOUND), .. } => Some(missing_program()),
            Error::Unready { .. } => Some("mend it, or build without requiring it".into()),
            Error::Task { source, .. } => source.hint(),
            _ => None,
        }
    }

    /// The innermost cause: this error itself unless it wraps another of ours.
    pub fn root(&self) -> &Error {
        match self {
            Error::Task { source, .. } => source.root(),
            other => other,
        }
    }

    /// An [`Error::Io`] maker for `map_err`: `.map_err(Error::io("read", path))`.
    pub(crate) fn io(verb: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { verb, path, source }
    }
}

/// The I/O error behind a system call's error number, for `map_err(Error::io(..))` after rustix calls.
pub(crate) fn errno(errno: rustix::io::Errno) -> io::Error {
    io::Error::from(errno)
}

/// The exit code of a shell that did not find a program.
const NOT_FOUND: i32 = 127;

fn missing_program() -> String {
    "the step's PATH is a small fixed one; install the program there or set PATH in `env`".to_owned()
}

fn place(file: &Path, line: usize) -> String {
    match line {
        0 => file.display().to_string(),
        line => format!("{}:{line}", file.display()),
    }
}

fn unknown(kind: &str, name: &str, wanted_by: Option<&str>) -> String {
    match wanted_by {
        Some(task) => format!("task `{task}` names the unknown {kind} `{name}`"),
        None => format!("unknown {kind} `{name}`"),
    }
}

fn rejected(file: &str, hunk: usize, reason: &str) -> String {
    match hunk {
        0 => format!("`{file}`: {reason}"),
        hunk => format!("`{file}`: hunk {hunk} does not apply: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_nest_without_saying_a_cause_twice() {
        let cause = Error::Command { command: "make".into(), code: Some(2), signal: None };
        let error = Error::Task { task: "zlib".into(), log: None, source: Box::new(cause) };
        assert_eq!(error.to_string(), "task `zlib`: `make` exited with code 2");
    }

    #[test]
    fn a_mistake_without_a_line_names_the_file_alone() {
        let mistake = |line| Error::Recipe {
            file: "cortado.lua".into(),
            line,
            problem: "declares no project".into(),
            hint: String::new(),
        };
        assert_eq!(mistake(0).to_string(), "cortado.lua: declares no project");
        assert_eq!(mistake(7).to_string(), "cortado.lua:7: declares no project");
    }

    #[test]
    fn a_cycle_reads_as_a_path() {
        let error = Error::Cycle { path: vec!["a".into(), "b".into(), "a".into()] };
        assert_eq!(error.to_string(), "tasks depend on each other in a circle: a -> b -> a");
    }

    #[test]
    fn an_unknown_name_comes_with_the_nearest_one() {
        let error = Error::Unknown {
            kind: "dependency",
            name: "zlb".into(),
            wanted_by: Some("app".into()),
            nearest: Some("zlib".into()),
        };
        assert_eq!(error.to_string(), "task `app` names the unknown dependency `zlb`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `zlib`?"));
    }
}
