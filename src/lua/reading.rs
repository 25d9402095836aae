//! A reading: one run of a recipe in one Lua state, what it has declared so far, and where.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use mlua::{Function, Lua, RegistryKey};

use super::explain::{Placed, explain};
use super::files::{Files, Record};
use super::limits::Limits;
use super::mistake::Mistake;
use super::options::RecipeOptions;
use super::script::{Place, Script};
use super::stores::{self, Stores};
use super::{env, globals, platform, project, sandbox};
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
    pub(super) modules: RefCell<HashMap<String, Option<RegistryKey>>>,
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
    pub(super) stores: Option<Stores>,
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
            Err(error) => Err(self.named(reading.error(&error))),
        }
    }

    /// A recipe that could not even be read is named all the same.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::Recipe { file, line, problem, hint } if file.as_os_str().is_empty() => {
                Error::Recipe { file: self.shown_dir.join(&self.name), line, problem, hint }
            }
            error => error,
        }
    }

    fn prepare(&self, reading: &Rc<Reading>) -> mlua::Result<Lua> {
        let lua = sandbox::state(&reading.limits)?;
        lua.set_app_data(reading.clone());
        let table = lua.globals();
        table.raw_set("platform", platform::table(&lua, &self.platform)?)?;
        table.raw_set("project", lua.create_function(project::declare)?)?;
        table.raw_set("read_file", lua.create_function(globals::read_file)?)?;
        table.raw_set("require", lua.create_function(globals::require)?)?;
        table.raw_set("stores", stores::table(&lua)?)?;
        table.raw_set("print", lua.create_function(globals::note)?)?;
        env::add_words(&lua, &table)?;
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

    /// Reads a script and gives it its name in Lua's messages.
    pub(super) fn add_script(&self, path: &Path) -> mlua::Result<Rc<Script>> {
        let name = path.to_string_lossy();
        let bytes = self.files.read(&name)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Mistake::new(format!("`{name}` is not UTF-8")))?;
        let mut scripts = self.scripts.borrow_mut();
        let script = Rc::new(Script::new(&name, scripts.len(), self.shown_dir.join(path), text));
        scripts.push(script.clone());
        Ok(script)
    }
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
