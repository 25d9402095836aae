//! `task`: one unit of the project, as a table of options and a function that queues its steps.

use mlua::{AnyUserData, Function, IntoLua, Lua, MetaMethod, Table, UserData, UserDataMethods, Value};

use super::args::Args;
use super::mistake::Mistake;
use super::reading::Reading;
use super::script::Place;
use super::table::{self, Word};
use super::value::{flag, seconds, text, texts};
use super::{env, queue, source};
use crate::Task;

/// A task whose table is being read.
pub(super) struct Draft {
    task: Task,
    build: Option<Function>,
}

impl Draft {
    fn set(mut self, change: impl FnOnce(Task) -> Task) -> Self {
        self.task = change(self.task);
        self
    }

    fn set_each(self, value: &Value, change: impl Fn(Task, String) -> Task) -> Result<Self, Mistake> {
        let texts = texts(value)?;
        Ok(self.set(|task| texts.into_iter().fold(task, change)))
    }
}

/// The keys of a task's table.
pub(super) const WORDS: &[Word<Draft>] = &[
    Word { name: "version", set: |draft, value| text(value).map(|version| draft.set(|task| task.version(version))) },
    Word {
        name: "source",
        set: |draft, value| source::read(value).map(|source| draft.set(|task| task.source(source))),
    },
    Word { name: "license", set: |draft, value| text(value).map(|id| draft.set(|task| task.license(id))) },
    Word { name: "license_files", set: |draft, value| draft.set_each(value, Task::license_file) },
    Word { name: "depends_on", set: |draft, value| draft.set_each(value, Task::depends_on) },
    Word { name: "sequences", set: |draft, value| draft.set_each(value, Task::sequence) },
    Word { name: "env", set: |draft, value| env::read(value).map(|env| draft.set(|task| task.env(env))) },
    Word { name: "pass_env", set: |draft, value| draft.set_each(value, Task::pass_env) },
    Word { name: "probes", set: |draft, value| draft.set_each(value, Task::probe) },
    Word { name: "inputs", set: |draft, value| draft.set_each(value, Task::input) },
    Word { name: "cache", set: |draft, value| flag(value).map(|wanted| draft.set(|task| task.cache(wanted))) },
    Word { name: "virtual", set: |draft, value| flag(value).map(|wanted| draft.set(|task| task.virtual_task(wanted))) },
    Word {
        name: "relative_path",
        set: |draft, value| text(value).map(|path| draft.set(|task| task.relative_path(path))),
    },
    Word {
        name: "preserve_symlinks",
        set: |draft, value| flag(value).map(|wanted| draft.set(|task| task.preserve_symlinks(wanted))),
    },
    Word { name: "overrides", set: |draft, value| draft.set_each(value, Task::overrides) },
    Word {
        name: "time_limit",
        set: |draft, value| seconds(value).map(|limit| draft.set(|task| task.time_limit(limit))),
    },
    Word {
        name: "build",
        set: |draft, value| match value {
            Value::Function(build) => Ok(Draft { build: Some(build.clone()), ..draft }),
            _ => Err(Mistake::expected("a function", value)),
        },
    },
];

/// `shop:task "name" { … }` or `shop:task("name", { … })`. Its value is the task's name.
pub(super) fn declare(lua: &Lua, mut args: Args) -> mlua::Result<Value> {
    let name = args.text("its name")?;
    let reading = Reading::open(lua)?;
    let place = reading.place(lua);
    if !args.is_table() {
        args.end()?;
        let pending = &mut reading.declared.borrow_mut().pending;
        pending.push(Some((name, place)));
        return lua.create_userdata(Pending(pending.len() - 1))?.into_lua(lua);
    }
    let Value::Table(options) = args.next() else { return Ok(Value::Nil) };
    args.end()?;
    complete(lua, name, place, &options)
}

fn complete(lua: &Lua, name: String, place: Place, options: &Table) -> mlua::Result<Value> {
    let draft = Draft { task: Task::new(&name), build: None };
    let draft =
        table::apply(draft, options, WORDS).map_err(|error| Mistake::attribute(error, &format!("task `{name}`")))?;
    let task = match draft.build {
        Some(build) => queue::run(lua, draft.task, &build)?,
        None => draft.task,
    };
    let reading = Reading::open(lua)?;
    let mut declared = reading.declared.borrow_mut();
    if let Some(first) = declared.places.get(&name) {
        let mistake = Mistake::new(format!("two tasks are named `{name}`"));
        return Err(mistake.hint(format!("the first is at {}:{}", first.file.display(), first.line)).into());
    }
    declared.tasks.push(task);
    let value = lua.create_string(&name)?.into_lua(lua);
    declared.places.insert(name, place);
    value
}

/// A task whose name was said and whose table comes next; the number is its place among the pending ones.
struct Pending(usize);

impl UserData for Pending {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_function(MetaMethod::Call, |lua, (task, options): (AnyUserData, Value)| {
            let index = task.borrow::<Pending>()?.0;
            let reading = Reading::open(lua)?;
            let pending = reading.declared.borrow_mut().pending.get_mut(index).and_then(Option::take);
            let Some((name, place)) = pending else {
                return Err(Mistake::new("this task has its table already").into());
            };
            match options {
                Value::Table(options) => complete(lua, name, place, &options),
                other => Err(Mistake::expected("followed by a table", &other).by(&format!("task `{name}`")).into()),
            }
        });
    }
}
