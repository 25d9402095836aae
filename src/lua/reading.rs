//! A reading: one run of a recipe in one Lua state, what it has declared so far, and where.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mlua::{Lua, RegistryKey};

use super::declared::Declared;
use super::explain::{Placed, explain};
use super::files::Files;
use super::limits::Limits;
use super::mistake::Mistake;
use super::sandbox;
use super::script::{Place, Script};
use crate::Error;

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

impl Reading {
    /// Nothing is read yet.
    pub(super) fn new(shown_dir: PathBuf, files: Files, limits: Limits) -> Self {
        Self {
            shown_dir,
            files,
            limits,
            scripts: RefCell::default(),
            modules: RefCell::default(),
            declared: RefCell::default(),
            finished: Cell::new(false),
        }
    }

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

    /// Runs the recipe from its beginning to its end.
    pub(super) fn run(&self, lua: &Lua, name: &str) -> mlua::Result<()> {
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
