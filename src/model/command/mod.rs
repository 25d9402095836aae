//! Commands: the steps of a task, one kind per file.
//!
//! A step is plain data. Paths in it may use the words of [`Paths`](super::Paths); relative ones lie below the task's
//! source directory, or below the step's own `dir`.

mod bin;
mod block;
mod copy;
mod emit;
mod link;
mod mkdir;
mod patch;
mod shell;
mod sync;
mod template;

pub use bin::Bin;
pub use block::Block;
pub use copy::Copy;
pub use emit::Emit;
pub use link::Link;
pub use mkdir::Mkdir;
pub use patch::Patch;
pub use shell::Shell;
pub use sync::{Decide, Sync};
pub use template::{Template, Variables};

use std::path::{Path, PathBuf};

use super::input::Input;
use crate::text;

/// One step of a task.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Command {
    /// A shell command.
    Shell(Shell),
    /// A program that the product has installed, run without a shell.
    Bin(Bin),
    /// A copy of a file or directory.
    Copy(Copy),
    /// A mirror of a directory.
    Sync(Sync),
    /// A symbolic link.
    Link(Link),
    /// A directory.
    Mkdir(Mkdir),
    /// A patch to the source.
    Patch(Patch),
    /// A file made from a template.
    Template(Template),
    /// Code of the caller.
    Block(Block),
    /// A line of output.
    Emit(Emit),
}

impl Command {
    /// The kind's word, as recipes write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Command::Shell(_) => "command",
            Command::Bin(_) => "bin",
            Command::Copy(_) => "copy",
            Command::Sync(_) => "sync",
            Command::Link(_) => "link",
            Command::Mkdir(_) => "mkdir",
            Command::Patch(_) => "patch",
            Command::Template(_) => "template",
            Command::Block(_) => "block",
            Command::Emit(_) => "emit",
        }
    }

    /// The step in one line, for progress and errors.
    pub fn title(&self) -> String {
        let pair = |word: &str, from: &Path, to: &Path| format!("{word} {} -> {}", from.display(), to.display());
        match self {
            Command::Shell(step) => text::first_line(&step.line),
            Command::Bin(step) => text::first_line(&format!("{} {}", step.program, step.args.join(" "))),
            Command::Copy(step) => pair("copy", &step.source, &step.dest),
            Command::Sync(step) => pair("sync", &step.source, &step.dest),
            Command::Link(step) => pair("link", &step.path, &step.target),
            Command::Mkdir(step) => format!("mkdir {}", step.path.display()),
            Command::Patch(step) => format!("patch {}", step.content.title()),
            Command::Template(step) => format!("template {}", step.dest.display()),
            Command::Block(step) => format!("block {}", step.name.as_deref().unwrap_or("(unnamed)")),
            Command::Emit(step) => text::first_line(&step.text),
        }
    }
}

/// Text that a step carries itself or reads from a file of the recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// The bytes themselves.
    Inline(Vec<u8>),
    /// A file, relative to the recipe directory unless absolute. Its bytes count into the shasum, its name does not.
    File(PathBuf),
}

impl Content {
    /// The file's name, or `inline`.
    pub fn title(&self) -> String {
        match self {
            Content::Inline(_) => "inline".to_owned(),
            Content::File(path) => path.display().to_string(),
        }
    }

    /// The input that has to be looked up before planning, if any.
    pub(crate) fn input(&self) -> Option<Input> {
        match self {
            Content::Inline(_) => None,
            Content::File(path) => Some(Input::File(path.clone())),
        }
    }
}
