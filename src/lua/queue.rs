//! The queue: what a build function is handed, and what keeps the steps that it asks for.

use mlua::{Function, Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};

use super::args::Args;
use super::block::BLOCK;
use super::mistake::Mistake;
use super::object::{colon, unknown_word};
use super::steps::{STEPS, Step};
use crate::Task;
use crate::command::Command;

/// Runs a task's build function and adds the steps that it queues.
pub(super) fn run(lua: &Lua, task: Task, build: &Function) -> mlua::Result<Task> {
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
