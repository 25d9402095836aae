//! A reading: one run of a recipe in one Lua state, what it has declared so far, and where.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use mlua::{Function, Lua, RegistryKey, Value};

use super::files::{Files, Record};
use super::limits::Limits;
use super::mistake::Mistake;
use super::options::RecipeOptions;
use super::script::{Place, Script};
use super::{env, platform, project, sandbox};
use crate::{Error, Platform, ProjectBuilder, Result, Task};

/// Which recipe is read, how, and from which bytes if it was read before.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The recipe's directory as its caller named it, for messages.
    pub(super) shown_dir: PathBuf,
    /// The same without symbolic links.
    pub(super) dir: PathBuf,
    /// The recipe's file name.
    pub(super) name: String,
    pub(super) options: RecipeOptions,
    pub(super) platform: Platform,
    pub(super) record: Option<Arc<Record>>,
    /// Lets a test put a word of its own into the state.
    #[cfg(test)]
    pub(super) rendezvous: Option<tests::Rendezvous>,
}

/// A recipe being read, or read and kept for its callbacks.
pub(super) struct Reading {
    shown_dir: PathBuf,
    pub(super) files: Files,
    limits: Limits,
    scripts: RefCell<Vec<Rc<Script>>>,
    modules: RefCell<HashMap<String, Option<RegistryKey>>>,
    pub(super) declared: RefCell<Declared>,
    finished: Cell<bool>,
}

/// What a recipe has said so far.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) project: Option<(ProjectBuilder, Place)>,
    pub(super) tasks: Vec<Task>,
    /// Where each task stands, by its name.
    pub(super) places: HashMap<String, Place>,
    /// Tasks whose name was said but whose table has not come yet.
    pub(super) pending: Vec<Option<(String, Place)>>,
    pub(super) fetch: Option<Function>,
    pub(super) update: Option<Function>,
    pub(super) notes: Vec<String>,
}

const GLOBAL_HINT: &str = "a recipe has `project`, `platform`, `require`, `read_file`, and what it defines itself";

impl Origin {
    /// Runs the recipe from its beginning to its end in a fresh state.
    pub(super) fn read(&self) -> Result<(Lua, Rc<Reading>)> {
        let files = match &self.record {
            Some(record) => Files::recorded(self.dir.clone(), record.as_ref().clone()),
            None => Files::below(self.dir.clone(), self.options.memory as u64),
        };
        let reading = Rc::new(Reading {
            shown_dir: self.shown_dir.clone(),
            files,
            limits: self.options.limits(),
            scripts: RefCell::default(),
            modules: RefCell::default(),
            declared: RefCell::default(),
            finished: Cell::new(false),
        });
        let lua = self.prepare(&reading).map_err(|error| reading.error(&error))?;
        match reading.run(&lua, &self.name) {
            Ok(()) => Ok((lua, reading)),
            Err(error) => Err(reading.error(&error)),
        }
    }

    fn prepare(&self, reading: &Rc<Reading>) -> mlua::Result<Lua> {
        let lua = sandbox::state(&reading.limits)?;
        lua.set_app_data(reading.clone());
        let globals = lua.globals();
        globals.raw_set("platform", platform::table(&lua, &self.platform)?)?;
        globals.raw_set("project", lua.create_function(project::declare)?)?;
        globals.raw_set("read_file", lua.create_function(read_file)?)?;
        globals.raw_set("require", lua.create_function(require)?)?;
        globals.raw_set("print", lua.create_function(note)?)?;
        env::add_words(&lua, &globals)?;
        #[cfg(test)]
        tests::add_rendezvous(&lua, self.rendezvous.as_ref())?;
        sandbox::close(&lua, GLOBAL_HINT)?;
        Ok(lua)
    }
}

impl Reading {
    /// The reading that `lua` belongs to; none for the state of a block.
    pub(super) fn of(lua: &Lua) -> Option<Rc<Reading>> {
        lua.app_data_ref::<Rc<Reading>>().map(|reading| reading.clone())
    }

    /// Like [`Reading::of`], where there must be one.
    pub(super) fn here(lua: &Lua) -> mlua::Result<Rc<Reading>> {
        Reading::of(lua).ok_or_else(|| Mistake::new("this can only be said while the recipe is read").into())
    }

    /// Like [`Reading::here`], for what cannot be said once the recipe is finished.
    pub(super) fn open(lua: &Lua) -> mlua::Result<Rc<Reading>> {
        let reading = Reading::here(lua)?;
        if reading.finished.get() {
            return Err(Mistake::new("the recipe is finished: a callback can declare and print nothing").into());
        }
        Ok(reading)
    }

    /// What each block and callback may use.
    pub(super) fn limits(&self) -> Limits {
        self.limits.without_time()
    }

    /// The script that Lua knows as `chunk`.
    pub(super) fn script(&self, chunk: &str) -> Option<Rc<Script>> {
        self.scripts.borrow().iter().find(|script| script.chunk() == chunk).cloned()
    }

    /// Where the recipe is at this moment.
    pub(super) fn place(&self, lua: &Lua) -> Place {
        let nowhere =
            || Place { file: self.scripts.borrow().first().map(|s| s.path().into()).unwrap_or_default(), line: 0 };
        (1..)
            .map_while(|level| {
                lua.inspect_stack(level, |frame| {
                    let line = frame.current_line()?;
                    let file = self.script(&frame.source().short_src?)?.path().to_owned();
                    Some(Place { file, line })
                })
            })
            .flatten()
            .next()
            .unwrap_or_else(nowhere)
    }

    /// What went wrong, with its place, out of what Lua says.
    pub(super) fn error(&self, error: &mlua::Error) -> Error {
        explain(&self.scripts.borrow(), &self.limits, error)
    }

    /// The paths of everything that was read, as the caller of the recipe would name them.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.record().keys().map(|path| self.shown_dir.join(path)).collect()
    }

    fn run(&self, lua: &Lua, name: &str) -> mlua::Result<()> {
        let script = self.add_script(Path::new(name))?;
        sandbox::run::<()>(lua, &script)?;
        self.finished.set(true);
        let declared = self.declared.borrow();
        if let Some((name, place)) = declared.pending.iter().flatten().next() {
            let mistake = Mistake::new(format!("task `{name}` has no table")).hint("write `{ … }` behind its name");
            return Err(mlua::Error::external(Placed(mistake, place.clone())));
        }
        if declared.project.is_none() {
            return Err(Mistake::new("declares no project").hint("begin with `project \"name\" { … }`").into());
        }
        Ok(())
    }

    fn add_script(&self, path: &Path) -> mlua::Result<Rc<Script>> {
        let name = path.to_string_lossy();
        let bytes = self.files.read(&name)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Mistake::new(format!("`{name}` is not UTF-8")))?;
        let mut scripts = self.scripts.borrow_mut();
        let script = Rc::new(Script::new(&name, scripts.len(), self.shown_dir.join(path), text));
        scripts.push(script.clone());
        Ok(script)
    }
}

/// A mistake whose place is known beforehand.
#[derive(Debug)]
struct Placed(Mistake, Place);

impl std::fmt::Display for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Placed {}

/// An error of Lua's as ours: the innermost cause, at the place that its message or traceback names first.
pub(super) fn explain(scripts: &[Rc<Script>], limits: &Limits, error: &mlua::Error) -> Error {
    if let Some(Placed(mistake, place)) = error.downcast_ref::<Placed>() {
        return recipe_error(place.clone(), mistake);
    }
    let (mut cause, mut trace) = (error, "");
    while let mlua::Error::CallbackError { traceback, cause: inner } = cause {
        (cause, trace) = (inner, traceback);
    }
    let (mistake, text) = translate(cause, limits);
    let (message, own_trace) = text.split_once("\nstack traceback:").unwrap_or((&text, ""));
    let mistake = mistake.unwrap_or_else(|| {
        let told = scripts.iter().find_map(|script| script.line_of(message)).map_or(message, |(_, rest)| rest);
        Mistake::new(told)
    });
    let lines = [mistake.spot(), message].into_iter().chain(own_trace.lines()).chain(trace.lines());
    let spot = |text: &str| scripts.iter().find_map(|script| Some((script, script.line_of(text)?.0)));
    let place = match lines.map(str::trim_start).find_map(spot) {
        Some((script, line)) => {
            let line = script.key_line(line, mistake.keys()).unwrap_or(line);
            Place { file: script.path().to_owned(), line }
        }
        None => Place { file: scripts.first().map(|script| script.path().to_owned()).unwrap_or_default(), line: 0 },
    };
    recipe_error(place, &mistake)
}

/// A cause as a mistake of ours, or as what Lua says about it, with the traceback that it may carry.
fn translate(cause: &mlua::Error, limits: &Limits) -> (Option<Mistake>, String) {
    if let Some(mistake) = cause.downcast_ref::<Mistake>() {
        return (Some(mistake.clone()), String::new());
    }
    match cause {
        mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => (None, text.clone()),
        mlua::Error::MemoryError(_) => (Some(limits.out_of_memory()), String::new()),
        mlua::Error::UserDataDestructed | mlua::Error::CallbackDestructed => {
            let mistake = Mistake::new("an object is used after its time");
            (Some(mistake.hint("what a function is handed, such as `t`, ends with the function")), String::new())
        }
        other => (None, other.to_string()),
    }
}

fn recipe_error(place: Place, mistake: &Mistake) -> Error {
    let hint = mistake.remedy().to_owned();
    Error::Recipe { file: place.file, line: place.line, problem: mistake.to_string(), hint }
}

/// `read_file "etc/shop.conf"`: the bytes of a file below the recipe's directory.
fn read_file(lua: &Lua, path: Value) -> mlua::Result<mlua::LuaString> {
    let path = super::value::text(&path).map_err(|mistake| mistake.by("read_file"))?;
    lua.create_string(Reading::here(lua)?.files.read(&path)?)
}

/// `require "lib.flags"`: the value of the module `lib/flags.lua` below the recipe's directory, which runs once.
fn require(lua: &Lua, name: Value) -> mlua::Result<Value> {
    let name = super::value::text(&name).map_err(|mistake| mistake.by("require"))?;
    let reading = Reading::here(lua)?;
    match reading.modules.borrow().get(&name) {
        Some(Some(value)) => return lua.registry_value(value),
        Some(None) => return Err(Mistake::new(format!("module `{name}` requires itself")).into()),
        None => {}
    }
    if name.split('.').any(str::is_empty) || name.contains('/') {
        let mistake = Mistake::new(format!("`{name}` is not the name of a module"));
        return Err(mistake.hint("write `lib.flags` for the file `lib/flags.lua`").into());
    }
    reading.modules.borrow_mut().insert(name.clone(), None);
    let script = reading.add_script(Path::new(&format!("{}.lua", name.replace('.', "/"))))?;
    let value = match sandbox::run::<Value>(lua, &script)? {
        Value::Nil => Value::Boolean(true),
        value => value,
    };
    reading.modules.borrow_mut().insert(name, Some(lua.create_registry_value(&value)?));
    Ok(value)
}

/// `print(…)`: a note to the author, handed to the caller of the recipe.
fn note(lua: &Lua, values: mlua::MultiValue) -> mlua::Result<()> {
    let reading = Reading::open(lua)?;
    let texts: Vec<String> = values.iter().map(Value::to_string).collect::<mlua::Result<_>>()?;
    let Place { file, line } = reading.place(lua);
    reading.declared.borrow_mut().notes.push(format!("{}:{line}: {}", file.display(), texts.join("\t")));
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Something that a callback can call to wait for another one.
    #[derive(Clone)]
    pub(in crate::lua) struct Rendezvous(pub(in crate::lua) Arc<dyn Fn() -> bool + Send + Sync>);

    impl std::fmt::Debug for Rendezvous {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Rendezvous")
        }
    }

    pub(super) fn add_rendezvous(lua: &Lua, rendezvous: Option<&Rendezvous>) -> mlua::Result<()> {
        let Some(Rendezvous(meet)) = rendezvous.cloned() else { return Ok(()) };
        lua.globals().raw_set("rendezvous", lua.create_function(move |_, ()| Ok(meet()))?)
    }
}
