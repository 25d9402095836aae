//! Closed code: a function of the recipe as its own text, which runs later in a state of its own.
//!
//! The text is what counts into the shasum, so it must say everything: a function that uses locals from around it is
//! refused, because they could change without the text changing. Globals of the recipe are absent when it runs.

use std::path::PathBuf;
use std::rc::Rc;

use mlua::{Function, Lua};

use super::explain::explain;
use super::limits::Limits;
use super::mistake::Mistake;
use super::reading::Reading;
use super::script::Script;
use super::{env, sandbox};
use crate::Error;

/// The text of a function, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    text: String,
    chunk: String,
    path: PathBuf,
    line: usize,
    limits: Limits,
}

const REMEDY: &str = "hand it over: t:block({ name = value }, function(t, vars) … end)";
const GLOBAL_HINT: &str = "a block sees the standard library, `t`, and what was handed to it: \
                           t:block({ name = value }, function(t, vars) … end)";

impl Closed {
    /// The closed code of a function that was written in the recipe.
    pub(super) fn of(function: &Function) -> Result<Self, Mistake> {
        let info = function.info();
        let reading = function.weak_lua().try_upgrade().and_then(|lua| Reading::of(&lua));
        let Some(reading) = reading else { return Err(Mistake::new("a function cannot be handed over in a block")) };
        let lines = info.line_defined.zip(info.last_line_defined);
        let script = info.short_src.and_then(|chunk| reading.script(&chunk));
        let (Some((first, last)), Some(script)) = (lines, script) else {
            return Err(Mistake::new("must be a function written in the recipe").hint("wrap it in `function(t) … end`"));
        };
        check_captures(function)?;
        Ok(Self {
            text: unnamed(only(script.functions(first, last))?)?,
            chunk: script.chunk().to_owned(),
            path: script.path().to_owned(),
            line: first,
            limits: reading.limits(),
        })
    }

    /// From `function` to `end`, comments included.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Runs the function in a fresh state: `call` hands it its arguments.
    pub(super) fn run<R>(&self, call: impl FnOnce(&Lua, Function) -> mlua::Result<R>) -> anyhow::Result<R> {
        let script = Script::piece(&self.chunk, &self.path, self.line, &self.text);
        self.call(&script, call).map_err(|error| {
            let passed = error.downcast_ref::<Passed>().and_then(Passed::take);
            let placed = explain(&[Rc::new(script)], &self.limits, &error);
            match (passed, placed) {
                (Some(passed), Error::Recipe { file, line, .. }) => {
                    anyhow::Error::new(passed).context(format!("{}:{line}", file.display()))
                }
                (_, placed) => placed.into(),
            }
        })
    }

    fn call<R>(&self, script: &Script, call: impl FnOnce(&Lua, Function) -> mlua::Result<R>) -> mlua::Result<R> {
        let lua = sandbox::state(&self.limits)?;
        env::add_words(&lua, &lua.globals())?;
        sandbox::close(&lua, GLOBAL_HINT)?;
        let function = sandbox::run(&lua, script)?;
        call(&lua, function)
    }
}

/// An error of the engine's on its way through Lua, to come out as it went in.
pub(super) struct Passed {
    text: String,
    error: std::cell::Cell<Option<Error>>,
}

impl Passed {
    pub(super) fn through(error: Error) -> mlua::Error {
        mlua::Error::external(Self { text: error.to_string(), error: Some(error).into() })
    }

    fn take(&self) -> Option<Error> {
        self.error.take()
    }
}

impl std::fmt::Debug for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Passed").field(&self.text).finish()
    }
}

impl std::fmt::Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Passed {}

/// The one text among the functions on the same lines.
fn only(mut texts: Vec<&str>) -> Result<&str, Mistake> {
    texts.dedup();
    match texts.as_slice() {
        [text] => Ok(text),
        _ => {
            let problem = "this function cannot be told from the others that begin and end on its lines";
            Err(Mistake::new(problem).hint("begin it on a line of its own"))
        }
    }
}

/// A function's text as an expression: `function name(t) … end` loses its name.
fn unnamed(text: &str) -> Result<String, Mistake> {
    let (name, rest) = text.strip_prefix("function").and_then(|text| text.split_once('(')).unwrap_or(("", text));
    match name.trim() {
        "" => Ok(text.to_owned()),
        comment if comment.starts_with("--") => Ok(text.to_owned()),
        method if method.contains(':') => {
            Err(Mistake::new(format!("`{method}` has a hidden `self`")).hint("write it as `function(t) … end`"))
        }
        _ => Ok(format!("function({rest}")),
    }
}

fn check_captures(function: &Function) -> Result<(), Mistake> {
    let count = usize::from(function.info().num_upvalues);
    let names = captures(&function.dump(false), count);
    let captured: Option<Vec<_>> = names.map(|names| names.into_iter().filter(|name| name != "_ENV").collect());
    match captured {
        Some(names) if names.is_empty() => Ok(()),
        Some(names) => {
            let plural = if names.len() == 1 { "local" } else { "locals" };
            let problem = format!("this function uses the {plural} `{}` from around it", names.join("`, `"));
            Err(Mistake::new(problem).hint(REMEDY))
        }
        None => Err(Mistake::new("this function uses locals from around it").hint(REMEDY)),
    }
}

/// The names of the variables that a function takes from around it: the last thing in its binary form, each a length
/// (plus one, with the top bit set) and ASCII letters (`dumpDebug` in Lua 5.4's `ldump.c`).
fn captures(dump: &[u8], count: usize) -> Option<Vec<String>> {
    let mut rest = dump;
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        let length_at = rest.iter().rposition(|byte| *byte >= 0x80)?;
        let name = rest.get(length_at + 1..)?;
        let length = usize::from(rest.get(length_at)? & 0x7f);
        if name.is_empty() || length != name.len() + 1 {
            return None;
        }
        names.push(String::from_utf8(name.to_vec()).ok()?);
        rest = rest.get(..length_at)?;
    }
    names.reverse();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(code: &str) -> Option<Vec<String>> {
        let lua = Lua::new();
        let function: Function = lua.load(code).eval().unwrap();
        captures(&function.dump(false), function.info().num_upvalues.into())
    }

    #[test]
    fn captured_locals_are_named() {
        assert_eq!(captured("return function(t) return 1 end").unwrap(), [""; 0]);
        assert_eq!(captured("return function(t) return print end").unwrap(), ["_ENV"]);
        assert_eq!(captured("local a, b = 1, 2 return function() return a, print, b end").unwrap(), ["a", "_ENV", "b"]);
        assert_eq!(captured("local a return function() return function() return a end end").unwrap(), ["a"]);
        let long = "a".repeat(200);
        assert_eq!(captured(&format!("local {long} return function() return {long} end")), None);
    }

    #[test]
    fn a_named_function_loses_its_name() {
        assert_eq!(unnamed("function(t) end").unwrap(), "function(t) end");
        assert_eq!(unnamed("function a.b(t, (x)) end").unwrap(), "function(t, (x)) end");
        assert_eq!(unnamed("function --[[ why ]] (t) end").unwrap(), "function --[[ why ]] (t) end");
        assert!(unnamed("function a:b(t) end").is_err());
    }
}
