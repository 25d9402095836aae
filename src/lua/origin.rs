//! The origin of readings: which recipe is read, how, and what it may use.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use mlua::Lua;

use super::files::{Files, Record};
use super::options::RecipeOptions;
use super::reading::Reading;
use super::{env, globals, platform, project, sandbox, store_words};
use crate::{Platform, Result};

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

const GLOBAL_HINT: &str = "a recipe has `project`, `platform`, `require`, `read_file`, and what it defines itself";

impl Origin {
    /// Runs the recipe from its beginning to its end in a fresh state.
    pub(super) fn read(&self) -> Result<(Lua, Rc<Reading>)> {
        let files = match &self.record {
            Some(record) => Files::recorded(self.dir.clone(), record.as_ref().clone()),
            None => Files::below(self.dir.clone(), self.options.memory as u64),
        };
        let reading = Rc::new(Reading::new(self.shown_dir.clone(), files, self.options.limits()));
        let lua = self.prepare(&reading).map_err(|error| reading.error(&error))?;
        match reading.run(&lua, &self.name) {
            Ok(()) => Ok((lua, reading)),
            Err(error) => Err(reading.error(&error)),
        }
    }

    fn prepare(&self, reading: &Rc<Reading>) -> mlua::Result<Lua> {
        let lua = sandbox::state(&self.options.limits())?;
        lua.set_app_data(reading.clone());
        let table = lua.globals();
        table.raw_set("platform", platform::table(&lua, &self.platform)?)?;
        table.raw_set("project", lua.create_function(project::declare)?)?;
        table.raw_set("read_file", lua.create_function(globals::read_file)?)?;
        table.raw_set("require", lua.create_function(globals::require)?)?;
        table.raw_set("stores", store_words::table(&lua)?)?;
        table.raw_set("print", lua.create_function(globals::note)?)?;
        env::add_words(&lua, &table)?;
        #[cfg(test)]
        tests::add_rendezvous(&lua, self.rendezvous.as_ref())?;
        sandbox::close(&lua, GLOBAL_HINT)?;
        Ok(lua)
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
