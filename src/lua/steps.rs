//! The steps of a task, one word each. While the recipe is read a build function queues them; in a block the same
//! words run at once.

use mlua::Value;

use super::args::Args;
use super::mistake::Mistake;
use super::table::Word;
use super::value::{bytes, flag, mode, pairs, texts, variables, whole};
use super::{decide, env};
use crate::command::{Bin, Command, Copy, Emit, Link, Mkdir, Patch, Shell, Sync, Template};

/// A word and the step that it makes of its arguments.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) make: fn(&mut Args) -> mlua::Result<Command>,
}

/// The steps that are allowed anywhere.
pub(super) const STEPS: [Step; 10] = [
    Step { name: "command", make: command },
    Step { name: "bin", make: bin },
    Step { name: "copy", make: copy },
    Step { name: "sync", make: sync },
    Step { name: "link", make: link },
    Step { name: "mkdir", make: mkdir },
    Step { name: "patch", make: patch },
    Step { name: "template", make: template },
    Step { name: "emit", make: |args| emit(args, Emit::new) },
    Step { name: "emit_error", make: |args| emit(args, Emit::error) },
];

/// Options of `command`.
pub(super) const COMMAND: &[Word<Shell>] = &[
    Word { name: "env", set: |step, value| env::read(value).map(|env| step.env(env)) },
    Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) },
];

/// Options of `bin`.
pub(super) const BIN: &[Word<Bin>] = &[
    Word { name: "env", set: |step, value| env::read(value).map(|env| step.env(env)) },
    Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) },
];

/// Options of `copy`.
pub(super) const COPY: &[Word<Copy>] = &[Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) }];

/// Options of `sync`.
pub(super) const SYNC: &[Word<Sync>] = &[
    Word { name: "exclude", set: |step, value| Ok(texts(value)?.into_iter().fold(step, Sync::exclude)) },
    Word { name: "decide", set: decide::set },
    Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) },
];

/// Options of `link`.
pub(super) const LINK: &[Word<Link>] = &[Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) }];

/// Options of `mkdir`.
pub(super) const MKDIR: &[Word<Mkdir>] = &[
    Word { name: "parents", set: |step, value| flag(value).map(|parents| step.parents(parents)) },
    Word { name: "mode", set: |step, value| mode(value).map(|mode| step.mode(mode)) },
];

/// Options of `patch`.
pub(super) const PATCH: &[Word<Patch>] = &[
    Word { name: "strip", set: |step, value| whole(value).map(|strip| step.strip(strip)) },
    Word { name: "dir", set: |step, value| dir(value).map(|dir| step.dir(dir)) },
];

/// Options of `template`.
pub(super) const TEMPLATE: &[Word<Template>] = &[
    Word { name: "variables", set: |step, value| variables(value).map(|variables| step.variables(variables)) },
    Word { name: "mode", set: |step, value| mode(value).map(|mode| step.mode(mode)) },
];

fn command(args: &mut Args) -> mlua::Result<Command> {
    let step = Shell::new(args.text("the command")?);
    args.options(step, COMMAND).map(Command::from)
}

fn bin(args: &mut Args) -> mlua::Result<Command> {
    let step = Bin::new(args.text("the program")?);
    let step = step.args(args.texts("its arguments")?);
    args.options(step, BIN).map(Command::from)
}

fn copy(args: &mut Args) -> mlua::Result<Command> {
    let step = Copy::new(args.text("what to copy")?, args.text("where to")?);
    args.options(step, COPY).map(Command::from)
}

fn sync(args: &mut Args) -> mlua::Result<Command> {
    let step = Sync::new(args.text("what to mirror")?, args.text("where to")?);
    args.options(step, SYNC).map(Command::from)
}

fn link(args: &mut Args) -> mlua::Result<Command> {
    let step = Link::new(args.text("the target")?, args.text("the link's path")?);
    args.options(step, LINK).map(Command::from)
}

fn mkdir(args: &mut Args) -> mlua::Result<Command> {
    let step = Mkdir::new(args.text("the directory")?);
    args.options(step, MKDIR).map(Command::from)
}

fn patch(args: &mut Args) -> mlua::Result<Command> {
    let step = match content(args, "the patch")? {
        Content::File(path) => Patch::file(path),
        Content::Text(text) => Patch::text(text),
    };
    args.options(step, PATCH).map(Command::from)
}

fn template(args: &mut Args) -> mlua::Result<Command> {
    let content = content(args, "the template")?;
    let dest = args.text("where to")?;
    let step = match content {
        Content::File(path) => Template::file(path, dest),
        Content::Text(text) => Template::text(text, dest),
    };
    args.options(step, TEMPLATE).map(Command::from)
}

fn emit(args: &mut Args, make: fn(String) -> Emit) -> mlua::Result<Command> {
    let step = make(args.text("what to say")?);
    args.end()?;
    Ok(step.into())
}

/// What a patch or template is read from: a file of the recipe, or `{ text = "…" }`.
enum Content {
    File(String),
    Text(Vec<u8>),
}

fn content(args: &mut Args, what: &str) -> mlua::Result<Content> {
    if !args.is_table() {
        return Ok(Content::File(args.text(what)?));
    }
    let mut found = pairs(&args.next())?;
    let text = found.remove("text").unwrap_or(Value::Nil);
    if let Some(other) = found.keys().next() {
        return Err(Mistake::unknown_key(other, &["text"]).into());
    }
    Ok(Content::Text(bytes(&text).map_err(|mistake| mistake.at("text"))?))
}

fn dir(value: &Value) -> Result<String, Mistake> {
    super::value::text(value)
}
