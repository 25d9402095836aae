//! Explaining: an error that comes out of Lua as one of ours, with its place in the recipe.

use std::rc::Rc;

use super::limits::Limits;
use super::mistake::Mistake;
use super::script::{Place, Script};
use crate::Error;

/// A mistake whose place is known beforehand.
#[derive(Debug)]
pub(super) struct Placed(pub(super) Mistake, pub(super) Place);

impl std::fmt::Display for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Placed {}

/// An error of Lua's as ours: the innermost cause, at the place that its message or traceback names first.
pub(super) fn explain(scripts: &[Rc<Script>], limits: &Limits, error: &mlua::Error) -> Error {
    if let Some(Placed(mistake, place)) = error.downcast_ref::<Placed>() {
        return recipe_error(place.clone(), mistake);
    }
    let (mut cause, mut trace) = (error, "");
    while let mlua::Error::CallbackError { traceback, cause: inner } = cause {
        (cause, trace) = (inner, traceback);
    }
    let (mistake, text) = translate(cause, limits);
    let (message, own_trace) = text.split_once("\nstack traceback:").unwrap_or((&text, ""));
    let mistake = mistake.unwrap_or_else(|| {
        let told = scripts.iter().find_map(|script| script.line_of(message)).map_or(message, |(_, rest)| rest);
        Mistake::new(told)
    });
    let lines = [mistake.spot(), message].into_iter().chain(own_trace.lines()).chain(trace.lines());
    let spot = |text: &str| scripts.iter().find_map(|script| Some((script, script.line_of(text)?.0)));
    let place = match lines.map(str::trim_start).find_map(spot) {
        Some((script, line)) => {
            let line = script.key_line(line, mistake.keys()).unwrap_or(line);
            Place { file: script.path().to_owned(), line }
        }
        None => Place { file: scripts.first().map(|script| script.path().to_owned()).unwrap_or_default(), line: 0 },
    };
    recipe_error(place, &mistake)
}

/// A cause as a mistake of ours, or as what Lua says about it, with the traceback that it may carry.
fn translate(cause: &mlua::Error, limits: &Limits) -> (Option<Mistake>, String) {
    if let Some(mistake) = cause.downcast_ref::<Mistake>() {
        return (Some(mistake.clone()), String::new());
    }
    match cause {
        mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => (None, text.clone()),
        mlua::Error::MemoryError(_) => (Some(limits.out_of_memory()), String::new()),
        mlua::Error::UserDataDestructed | mlua::Error::CallbackDestructed => {
            let mistake = Mistake::new("an object is used after its time");
            (Some(mistake.hint("what a function is handed, such as `t`, ends with the function")), String::new())
        }
        other => (None, other.to_string()),
    }
}

fn recipe_error(place: Place, mistake: &Mistake) -> Error {
    let hint = mistake.remedy().to_owned();
    Error::Recipe { file: place.file, line: place.line, problem: mistake.to_string(), hint }
}
