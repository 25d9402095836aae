//! The steps of a task, one word each. While the recipe is read a build function queues them; in a block the same
//! words run at once.

use mlua::{Function, Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};

use super::args::Args;
use super::mistake::Mistake;
use super::object::{colon, unknown_word};
use super::table::Word;
use super::value::{bytes, flag, mode, pairs, texts, variables, whole};
use super::{block, env};
use crate::Task;
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

/// The one step that cannot stand in a block.
pub(super) const BLOCK: Step = Step { name: "block", make: block::make };

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
    Word { name: "decide", set: block::decide },
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

/// Runs a task's build function and adds the steps that it queues.
pub(super) fn queue(lua: &Lua, task: Task, build: &Function) -> mlua::Result<Task> {
    let queue = lua.create_userdata(Queue { name: task.name().to_owned(), steps: Vec::new() })?;
    build.call::<()>(&queue)?;
    Ok(queue.take::<Queue>()?.steps.into_iter().fold(task, Task::step))
}

/// What a build function is handed.
struct Queue {
    name: String,
    steps: Vec<Command>,
}

impl UserData for Queue {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("name", |_, queue| Ok(queue.name.clone()));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for Step { name, make } in STEPS.iter().chain([&BLOCK]) {
            methods.add_function(*name, move |_, (queue, values): (Value, MultiValue)| {
                let Some(queue) = queue.as_userdata() else { return Err(colon(name).into()) };
                let step = make(&mut Args::new(name, values))?;
                let ended = |_| Mistake::new(format!("`{name}` comes after the end of its build function"));
                queue.borrow_mut::<Queue>().map_err(ended)?.steps.push(step);
                Ok(())
            });
        }
        methods.add_meta_function(MetaMethod::Index, |_, (_, name): (Value, Value)| {
            unknown_word("a task", &name, &names())
        });
    }
}

/// The names of everything that a build function finds in its task.
pub(super) fn names() -> Vec<&'static str> {
    std::iter::once("name").chain(STEPS.iter().chain([&BLOCK]).map(|step| step.name)).collect()
}
