//! `decide`: a function of the recipe that says during the build which files `sync` replaces.

use std::path::Path;

use mlua::Value;

use super::closed::Closed;
use super::mistake::Mistake;
use crate::command::Sync;

/// `decide = function(source, target) … end`: whether to replace the target.
pub(super) fn set(step: Sync, value: &Value) -> Result<Sync, Mistake> {
    let Value::Function(function) = value else { return Err(Mistake::expected("a function", value)) };
    let code = Closed::of(function)?;
    Ok(step.decide(code.text().to_owned(), move |source, target| ask(&code, source, target)))
}

fn ask(code: &Closed, source: &Path, target: &Path) -> anyhow::Result<bool> {
    let paths = [source, target].map(|path| path.as_os_str().as_encoded_bytes().to_vec());
    code.run(|lua, function| {
        let [source, target] = paths;
        let answer: Value = function.call((lua.create_string(source)?, lua.create_string(target)?))?;
        answer.as_boolean().ok_or_else(|| Mistake::expected("true or false", &answer).at("decide").into())
    })
}
