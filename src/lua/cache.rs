//! `shop:cache`: the cache of a project, as callbacks or as stores.

use mlua::{Function, Lua, Value};

use super::args::Args;
use super::mistake::Mistake;
use super::reading::Reading;
use super::store_words;
use super::table::Word;

/// The functions of a `cache` table.
#[derive(Default)]
pub(super) struct Draft {
    fetch: Option<Function>,
    update: Option<Function>,
}

/// The keys of a `cache` table.
pub(super) const WORDS: &[Word<Draft>] = &[
    Word { name: "fetch", set: |draft, value| Ok(Draft { fetch: Some(function(value)?), ..draft }) },
    Word { name: "update", set: |draft, value| Ok(Draft { update: Some(function(value)?), ..draft }) },
];

fn function(value: &Value) -> Result<Function, Mistake> {
    value.as_function().cloned().ok_or_else(|| Mistake::expected("a function", value))
}

/// `shop:cache { fetch = function(cacher) … end, update = function(artifact) … end }`, or `shop:cache(stores.s3 { … })`.
pub(super) fn declare(lua: &Lua, mut args: Args) -> mlua::Result<()> {
    let reading = Reading::open(lua)?;
    if !args.is_table() {
        let found = args.next();
        let Some(stores) = store_words::of_value(&found) else {
            return Err(args.expected("its callbacks or stores", "a table or a store", &found).into());
        };
        args.end()?;
        reading.declared.borrow_mut().stores = Some(stores);
        return Ok(());
    }
    let draft = args.options(Draft::default(), WORDS).map_err(|error| Mistake::attribute(error, "cache"))?;
    let mut declared = reading.declared.borrow_mut();
    declared.fetch = draft.fetch;
    declared.update = draft.update;
    Ok(())
}
