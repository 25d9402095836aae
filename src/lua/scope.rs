//! What a block is handed as `t`: the steps, run at once, and the files of its task.

use mlua::{Lua, MultiValue, Table, Value};

use super::args::Args;
use super::closed::Passed;
use super::mistake::Mistake;
use super::object::colon;
use super::sandbox;
use super::steps::STEPS;
use super::value::mode;
use crate::{Error, Scope};

/// A word of `t` that is no step.
pub(super) struct Word {
    pub(super) name: &'static str,
    run: fn(&Lua, &Scope<'_>, &mut Args) -> mlua::Result<Value>,
}

/// The words that only blocks have.
pub(super) const WORDS: [Word; 5] = [
    Word { name: "path", run: path },
    Word { name: "expand", run: expand },
    Word { name: "read", run: read },
    Word { name: "write", run: write },
    Word { name: "exists", run: exists },
];

/// Calls `use_it` with the `t` of this task. It works until that call ends.
pub(super) fn with<R>(lua: &Lua, task: &Scope<'_>, use_it: impl FnOnce(Table) -> mlua::Result<R>) -> mlua::Result<R> {
    lua.scope(|scope| {
        let t = lua.create_table()?;
        t.raw_set("name", task.task())?;
        for step in &STEPS {
            let run = scope.create_function(|_, (this, values): (Value, MultiValue)| {
                on_table(step.name, &this)?;
                let command = (step.make)(&mut Args::new(step.name, values))?;
                task.run(command).map_err(Passed::through)
            })?;
            t.raw_set(step.name, run)?;
        }
        for word in &WORDS {
            let run = scope.create_function(|lua, (this, values): (Value, MultiValue)| {
                on_table(word.name, &this)?;
                (word.run)(lua, task, &mut Args::new(word.name, values))
            })?;
            t.raw_set(word.name, run)?;
        }
        sandbox::strict(lua, &t, |name, known| {
            Mistake::unknown_name(format!("a block's task has no `{name}`"), name, known)
        })?;
        use_it(t)
    })
}

fn on_table(word: &str, this: &Value) -> Result<(), Mistake> {
    this.is_table().then_some(()).ok_or_else(|| colon(word))
}

/// `t:path "include"`: the absolute path behind a path of the task.
fn path(lua: &Lua, task: &Scope<'_>, args: &mut Args) -> mlua::Result<Value> {
    let path = task.path(args.text("the path")?);
    args.end()?;
    text(lua, path.as_os_str().as_encoded_bytes())
}

/// `t:expand "@{install_dir}/bin"`: a text with its path words replaced.
fn expand(lua: &Lua, task: &Scope<'_>, args: &mut Args) -> mlua::Result<Value> {
    let expanded = task.expand(&args.text("the text")?);
    args.end()?;
    text(lua, expanded.as_bytes())
}

/// `t:read "VERSION"`: the bytes of a file.
fn read(lua: &Lua, task: &Scope<'_>, args: &mut Args) -> mlua::Result<Value> {
    let path = task.path(args.text("the file")?);
    args.end()?;
    text(lua, &std::fs::read(&path).map_err(|error| Passed::through(Error::io("read", &path)(error)))?)
}

/// `t:write("include/config.h", text, "644")`: a file with this content, and its directories.
fn write(_: &Lua, task: &Scope<'_>, args: &mut Args) -> mlua::Result<Value> {
    let path = args.text("the file")?;
    let value = args.next();
    let Value::String(content) = &value else { return Err(args.expected("its content", "a string", &value).into()) };
    let bits = match args.next() {
        Value::Nil => None,
        value => Some(mode(&value).map_err(|mistake| mistake.at("mode"))?),
    };
    args.end()?;
    task.write(path, content.as_bytes(), bits).map_err(Passed::through)?;
    Ok(Value::Nil)
}

/// `t:exists "configure"`: whether there is something at a path, be it a link that leads nowhere.
fn exists(_: &Lua, task: &Scope<'_>, args: &mut Args) -> mlua::Result<Value> {
    let path = task.path(args.text("the path")?);
    args.end()?;
    Ok(Value::Boolean(path.symlink_metadata().is_ok()))
}

fn text(lua: &Lua, bytes: &[u8]) -> mlua::Result<Value> {
    lua.create_string(bytes).map(Value::String)
}
