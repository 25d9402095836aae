//! `block`: a function of the recipe that runs during the build, as a step.

use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaSerdeExt, Value};

use super::args::Args;
use super::closed::Closed;
use super::scope;
use super::steps::Step;
use super::value::variables;
use crate::Scope;
use crate::command::{Block, Command, Variables};

/// The one step that cannot stand in a block.
pub(super) const BLOCK: Step = Step { name: "block", make };

/// `t:block(function(t) … end)`, `t:block({ name = value }, function(t, vars) … end)`; a name may come first.
fn make(args: &mut Args) -> mlua::Result<Command> {
    let name = if args.is_text() { Some(args.text("its name")?) } else { None };
    let variables = if args.is_table() { variables(&args.next())? } else { Variables::new() };
    let code = Closed::of(&args.function("its code")?)?;
    args.end()?;
    let text = text(&code, &variables)?;
    let block = Block::new(text, move |scope| run(&code, &variables, scope));
    Ok(match name {
        Some(name) => block.named(name).into(),
        None => block.into(),
    })
}

/// The function's text, and the data that is handed to it.
fn text(code: &Closed, variables: &Variables) -> mlua::Result<String> {
    if variables.is_empty() {
        return Ok(code.text().to_owned());
    }
    let data = serde_json::to_string(variables).map_err(mlua::Error::external)?;
    Ok(format!("{}\n-- vars: {data}", code.text()))
}

fn run(code: &Closed, variables: &Variables, scope: &Scope<'_>) -> anyhow::Result<()> {
    code.run(|lua, function| {
        let variables = data(lua, variables)?;
        scope::with(lua, scope, |task| function.call::<()>((task, variables)))
    })
}

/// Plain data as a Lua table.
fn data(lua: &Lua, data: &Variables) -> mlua::Result<Value> {
    lua.to_value_with(data, SerializeOptions::new().set_array_metatable(false))
}
