//! `platform`: facts about the machine, as a table that knows what it lacks.

use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaSerdeExt, Table};

use super::mistake::Mistake;
use super::sandbox;
use crate::command::Variables;

/// The table of these facts.
pub(super) fn table(lua: &Lua, facts: &Variables) -> mlua::Result<Table> {
    let table = data(lua, facts)?;
    sandbox::strict(lua, &table, |name, known| {
        Mistake::unknown_name(format!("`platform` has no `{name}`"), name, known)
    })?;
    Ok(table)
}

/// Plain data as a Lua table.
pub(super) fn data(lua: &Lua, data: &Variables) -> mlua::Result<Table> {
    let plain = SerializeOptions::new().set_array_metatable(false).serialize_none_to_null(false);
    lua.unpack(lua.to_value_with(data, plain.serialize_unit_to_null(false))?)
}
