//! The objects of a recipe: what is wrong when a word of one is not used as it should be.

use mlua::Value;

use super::mistake::Mistake;

/// The mistake of calling a word with `.` instead of `:`.
pub(super) fn colon(word: &str) -> Mistake {
    Mistake::new(format!("`{word}` is not called on its object")).hint(format!("write `:{word}`, with a colon"))
}

/// The mistake of asking an object for a word that it does not have.
pub(super) fn unknown_word(object: &str, name: &Value, known: &[&'static str]) -> mlua::Result<Value> {
    let name = name.to_string()?;
    let mistake = Mistake::unknown_name(format!("{object} has no `{name}`"), &name, known.iter().copied());
    let hint =
        if mistake.remedy().is_empty() { format!("it has {}", known.join(", ")) } else { mistake.remedy().into() };
    Err(mistake.hint(hint).into())
}
