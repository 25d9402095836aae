//! The words of a recipe that belong to nothing: reading files, modules, and notes to the author.

use std::path::Path;

use mlua::{Lua, Value};

use super::mistake::Mistake;
use super::reading::Reading;
use super::sandbox;
use super::script::Place;
use super::value::text;

/// `read_file "etc/shop.conf"`: the bytes of a file below the recipe's directory.
pub(super) fn read_file(lua: &Lua, path: Value) -> mlua::Result<mlua::LuaString> {
    let path = text(&path).map_err(|mistake| mistake.by("read_file"))?;
    lua.create_string(Reading::here(lua)?.files.read(&path)?)
}

/// `require "lib.flags"`: the value of the module `lib/flags.lua` below the recipe's directory, which runs once.
pub(super) fn require(lua: &Lua, name: Value) -> mlua::Result<Value> {
    let name = text(&name).map_err(|mistake| mistake.by("require"))?;
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
pub(super) fn note(lua: &Lua, values: mlua::MultiValue) -> mlua::Result<()> {
    let reading = Reading::open(lua)?;
    let texts: Vec<String> = values.iter().map(Value::to_string).collect::<mlua::Result<_>>()?;
    let Place { file, line } = reading.place(lua);
    reading.declared.borrow_mut().notes.push(format!("{}:{line}: {}", file.display(), texts.join("\t")));
    Ok(())
}
