//! Values of recipes, read strictly: nothing is converted silently, and what does not fit says what was expected.

use std::collections::BTreeMap;
use std::time::Duration;

use mlua::{Table, Value};
use serde_json::Value as Json;

use super::mistake::Mistake;
use crate::command::Variables;

type Read<T> = Result<T, Mistake>;

/// A string. Numbers are refused: `version = 1.10` would lose its zero.
pub(super) fn text(value: &Value) -> Read<String> {
    match value {
        Value::String(text) => match text.to_str() {
            Ok(text) => Ok((*text).to_owned()),
            Err(_) => Err(Mistake::key("is not UTF-8")),
        },
        Value::Integer(_) | Value::Number(_) => Err(Mistake::expected("a string", value).hint("put it in quotes")),
        _ => Err(Mistake::expected("a string", value)),
    }
}

/// The bytes of a string.
pub(super) fn bytes(value: &Value) -> Read<Vec<u8>> {
    match value {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        _ => Err(Mistake::expected("a string", value)),
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &Value) -> Read<bool> {
    value.as_boolean().ok_or_else(|| Mistake::expected("true or false", value))
}

/// A whole number that is not negative.
pub(super) fn whole<N: TryFrom<i64>>(value: &Value) -> Read<N> {
    let expected = || match value {
        Value::Integer(_) | Value::Number(_) => Mistake::key("must be a whole number in range, and not negative"),
        _ => Mistake::expected("a whole number", value),
    };
    match value {
        Value::Integer(number) if *number >= 0 => N::try_from(*number).map_err(|_| expected()),
        _ => Err(expected()),
    }
}

/// A number of seconds, fractions allowed.
pub(super) fn seconds(value: &Value) -> Read<Duration> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Number(number) => *number,
        _ => return Err(Mistake::expected("a number of seconds", value)),
    };
    Duration::try_from_secs_f64(number).map_err(|_| Mistake::key("must be a number of seconds, zero or more"))
}

/// Permission bits as octal digits in a string: Lua has no octal numbers, so a bare 755 would mean something else.
pub(super) fn mode(value: &Value) -> Read<u32> {
    let mistake = |mistake: Mistake| mistake.hint("write octal digits in quotes: \"755\"");
    let digits = text(value).map_err(mistake)?;
    u32::from_str_radix(&digits, 8).map_err(|_| mistake(Mistake::key("must be octal digits")))
}

/// A list of strings.
pub(super) fn texts(value: &Value) -> Read<Vec<String>> {
    let Value::Table(list) = value else {
        let hint = if value.is_string() { "put it in braces: { \"…\" }" } else { "" };
        return Err(Mistake::expected("a list of strings", value).hint(hint));
    };
    sequence(list)?.iter().map(|item| text(item).map_err(|_| item_mistake(item))).collect()
}

fn item_mistake(item: &Value) -> Mistake {
    Mistake::key(format!("must be a list of strings, found {} in it", super::mistake::kind(item)))
}

/// A table's values from 1 on. A nil among them would silently end the list, so a table with any other key is refused.
fn sequence(list: &Table) -> Read<Vec<Value>> {
    let length = list.raw_len();
    let pairs = list.pairs::<Value, Value>().count();
    let items: Result<Vec<Value>, _> = (1..=length).map(|index| list.raw_get(index)).collect();
    match items {
        Ok(items) if pairs == length && !items.iter().any(Value::is_nil) => Ok(items),
        _ => Err(Mistake::key("is not a plain list").hint("it has keys other than 1, 2, 3 …, or a nil in it")),
    }
}

/// A table of strings by name, sorted.
pub(super) fn text_map(value: &Value) -> Read<BTreeMap<String, String>> {
    pairs(value)?.into_iter().map(|(name, value)| Ok((name.clone(), text(&value).map_err(|m| m.at(&name))?))).collect()
}

/// A table's values by name, sorted.
pub(super) fn pairs(value: &Value) -> Read<BTreeMap<String, Value>> {
    let Value::Table(table) = value else { return Err(Mistake::expected("a table", value)) };
    let mut found = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair.map_err(|error| Mistake::new(error.to_string()))?;
        let Value::String(name) = &name else {
            return Err(Mistake::key("has a value without a name").hint("write `name = value`"));
        };
        found.insert(name.to_str().map_err(|_| Mistake::key("has a name that is not UTF-8"))?.to_owned(), value);
    }
    Ok(found)
}

/// A table of JSON-like values by name: strings, numbers, booleans, lists and tables of these.
pub(super) fn variables(value: &Value) -> Read<Variables> {
    pairs(value)?.iter().map(|(name, value)| Ok((name.clone(), json(value, 0).map_err(|m| m.at(name))?))).collect()
}

/// How deep data may be nested. It stops tables that contain themselves.
const DEEPEST: usize = 64;

fn json(value: &Value, depth: usize) -> Read<Json> {
    if depth > DEEPEST {
        return Err(Mistake::key("is nested too deeply, or contains itself"));
    }
    Ok(match value {
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Number(number) => match serde_json::Number::from_f64(*number) {
            Some(number) => Json::Number(number),
            None => return Err(Mistake::key("must be a finite number")),
        },
        Value::String(_) => Json::String(text(value)?),
        Value::Table(table) if table.raw_len() > 0 => {
            Json::Array(sequence(table)?.iter().map(|item| json(item, depth + 1)).collect::<Read<_>>()?)
        }
        Value::Table(_) => {
            let pairs = pairs(value)?.into_iter();
            Json::Object(pairs.map(|(name, item)| Ok((name, json(&item, depth + 1)?))).collect::<Read<_>>()?)
        }
        _ => return Err(Mistake::expected("data (a string, number, boolean or table)", value)),
    })
}

/// A string that names one of a few things.
pub(super) fn choice<T: Copy>(value: &Value, choices: &[(&'static str, T)]) -> Read<T> {
    let given = text(value)?;
    let known = || choices.iter().map(|(name, _)| *name);
    choices.iter().find(|(name, _)| *name == given).map(|(_, choice)| *choice).ok_or_else(|| {
        let all: Vec<_> = known().map(|name| format!("`{name}`")).collect();
        let hint = crate::text::nearest(&given, known()).map(|near| format!("did you mean `{near}`?"));
        Mistake::key(format!("must be one of {}, found `{given}`", all.join(", "))).hint(hint.unwrap_or_default())
    })
}
