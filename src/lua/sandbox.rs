//! The sandbox: a Lua state with the standard library that is left when everything is taken away that could touch the
//! world or differ from run to run, and in which a misspelt name is a mistake instead of a nil.

use mlua::chunk::ChunkMode;
use mlua::{Lua, LuaOptions, StdLib, Table, Value};

use super::limits::Limits;
use super::mistake::Mistake;
use super::script::Script;
use super::strings;

/// Names of Lua's library that recipes do not have, and what to use instead.
const REFUSED: [(&str, &str); 10] = [
    (
        "os",
        "a recipe does not depend on the clock, the environment or programs; the machine is described by `platform`",
    ),
    ("io", "files below the recipe's directory are read with `read_file`"),
    ("print", "in a block, use `t:emit`"),
    ("load", "put code into a module and `require` it"),
    ("loadstring", "put code into a module and `require` it"),
    ("loadfile", "put code into a module and `require` it"),
    ("dofile", "put code into a module and `require` it"),
    ("package", "modules are looked up below the recipe's directory only"),
    ("debug", ""),
    ("collectgarbage", ""),
];

/// A fresh state with the standard library of recipes and these limits.
pub(super) fn state(limits: &Limits) -> mlua::Result<Lua> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    strings::install(&lua)?;
    lua.load(include_str!("prelude.lua")).set_name("=cortado").set_mode(ChunkMode::Text).exec()?;
    limits.start(&lua)?;
    Ok(lua)
}

/// Makes unknown names mistakes. `hint` is for names that resemble none; call it when all names are set.
pub(super) fn close(lua: &Lua, hint: &'static str) -> mlua::Result<()> {
    let globals = lua.globals();
    for library in ["table", "string", "math", "utf8", "coroutine"] {
        let table: Table = globals.raw_get(library)?;
        strict(lua, &table, move |name, known| {
            let mistake = Mistake::unknown_name(format!("`{library}` has no `{name}`"), name, known);
            if name.starts_with("random") {
                mistake.hint("a recipe says the same each time it is read")
            } else {
                mistake
            }
        })?;
    }
    strict(lua, &globals, move |name, known| match REFUSED.iter().find(|(refused, _)| *refused == name) {
        Some((_, instead)) => Mistake::new(format!("`{name}` is not available here")).hint(*instead),
        None => {
            let mistake = Mistake::unknown_name(format!("unknown name `{name}`"), name, known);
            if mistake.remedy().is_empty() { mistake.hint(hint) } else { mistake }
        }
    })
}

/// Asks `mistake(name, known names)` for what to say when `table` lacks a name.
pub(super) fn strict<F>(lua: &Lua, table: &Table, mistake: F) -> mlua::Result<()>
where
    F: Fn(&str, std::vec::IntoIter<&str>) -> Mistake + 'static,
{
    let index = lua.create_function(move |_, (table, name): (Table, Value)| -> mlua::Result<()> {
        let name = match &name {
            Value::String(name) => name.to_string_lossy(),
            other => other.to_string()?,
        };
        let mut known: Vec<String> = table.pairs::<String, Value>().filter_map(|pair| Some(pair.ok()?.0)).collect();
        known.sort();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Err(mistake(&name, known.into_iter()).into())
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__metatable", false)?;
    table.set_metatable(Some(meta))
}

/// Runs a script and gives its value.
pub(super) fn run<R: mlua::FromLuaMulti>(lua: &Lua, script: &Script) -> mlua::Result<R> {
    lua.load(script.text()).set_name(format!("={}", script.chunk())).set_mode(ChunkMode::Text).call(())
}
