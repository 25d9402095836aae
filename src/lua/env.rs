//! `env`: tables of environment variables, and the words that add to them.

use mlua::{AnyUserData, Lua, Table, UserData, Value};

use super::mistake::Mistake;
use super::value::{pairs, text};
use crate::Env;

/// A word that takes an environment and gives a fuller one.
pub(super) struct Helper {
    pub(super) name: &'static str,
    add: fn(Env) -> Env,
}

/// All of them.
pub(super) const HELPERS: [Helper; 3] = [
    Helper { name: "with_standard_compiler_flags", add: Env::with_standard_compiler_flags },
    Helper { name: "with_destdir", add: Env::with_destdir },
    Helper { name: "with_embedded_path", add: Env::with_embedded_path },
];

/// An environment that a helper gave.
struct EnvWord(Env);

impl UserData for EnvWord {}

/// A value that is never shown.
struct Secret(String);

impl UserData for Secret {}

/// Reads an environment: a table of strings by name, or what a helper gave.
pub(super) fn read(value: &Value) -> Result<Env, Mistake> {
    if let Some(env) = value.as_userdata().and_then(|object| object.borrow::<EnvWord>().ok()) {
        return Ok(env.0.clone());
    }
    if !value.is_table() {
        return Err(Mistake::expected("a table of strings", value));
    }
    pairs(value)?.into_iter().try_fold(Env::new(), |env, (name, value)| match secret(&value) {
        Some(text) => Ok(env.secret(name, text)),
        None => match text(&value) {
            Ok(text) => Ok(env.set(name, text)),
            Err(mistake) => Err(mistake.at(&name)),
        },
    })
}

fn secret(value: &Value) -> Option<String> {
    let secret: &AnyUserData = value.as_userdata()?;
    secret.borrow::<Secret>().ok().map(|secret| secret.0.clone())
}

/// Adds the helpers and `secret` to a state.
pub(super) fn add_words(lua: &Lua, globals: &Table) -> mlua::Result<()> {
    for Helper { name, add } in HELPERS {
        let helper = lua.create_function(move |_, env: Value| {
            let env = if env.is_nil() { Env::new() } else { read(&env).map_err(|mistake| mistake.by(name))? };
            Ok(EnvWord(add(env)))
        })?;
        globals.raw_set(name, helper)?;
    }
    let secret = |_: &Lua, value: Value| Ok(Secret(text(&value).map_err(|mistake| mistake.by("secret"))?));
    globals.raw_set("secret", lua.create_function(secret)?)
}
