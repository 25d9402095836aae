//! `string.find`, `match`, `gmatch` and `gsub`, as in Lua but for a matcher that gives up when it takes too long.

use std::cell::Cell;

use mlua::{Function, IntoLua, Lua, LuaString, MultiValue, Table, Value};

use super::mistake::{Mistake, kind};
use super::pattern::{Capture, Found, Matcher};

/// Puts these functions into Lua's `string`.
pub(super) fn install(lua: &Lua) -> mlua::Result<()> {
    let string: Table = lua.globals().raw_get("string")?;
    string.raw_set("find", lua.create_function(|lua, args| search(lua, args, "find"))?)?;
    string.raw_set("match", lua.create_function(|lua, args| search(lua, args, "match"))?)?;
    string.raw_set("gmatch", lua.create_function(gmatch)?)?;
    string.raw_set("gsub", lua.create_function(gsub)?)
}

type Subject = (Value, Value, Option<i64>, Option<Value>);

fn search(lua: &Lua, (text, pattern, init, plain): Subject, word: &'static str) -> mlua::Result<MultiValue> {
    let (text, pattern) = (subject(lua, text, word)?, subject(lua, pattern, word)?);
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let Some(from) = start(init, text.len()) else { return Ok(MultiValue::from_vec(vec![Value::Nil])) };
    let literal = plain.is_some_and(|plain| !matches!(plain, Value::Nil | Value::Boolean(false)));
    let found = if word == "find" && (literal || !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))) {
        plainly(&text, &pattern, from)
    } else {
        first(&text, &pattern, from).map_err(|refusal| refused(word, refusal))?
    };
    let Some(found) = found else { return Ok(MultiValue::from_vec(vec![Value::Nil])) };
    let mut values = Vec::with_capacity(2 + found.captures.len());
    if word == "find" {
        values.extend([integer(found.start + 1), integer(found.end)]);
        for capture in &found.captures {
            values.push(captured(lua, &text, *capture)?);
        }
    } else {
        values = captures(lua, &text, &found)?;
    }
    Ok(MultiValue::from_vec(values))
}

fn gmatch(lua: &Lua, (text, pattern, init, _): Subject) -> mlua::Result<Function> {
    let (text, pattern) = (subject(lua, text, "gmatch")?, subject(lua, pattern, "gmatch")?);
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let at = Cell::new(start(init, text.len()).unwrap_or(text.len() + 1));
    let last = Cell::new(None);
    lua.create_function(move |lua, ()| {
        let mut matcher = Matcher::new(&text, &pattern);
        while at.get() <= text.len() {
            let found = matcher.at(at.get()).map_err(|refusal| refused("gmatch", refusal))?;
            match found.filter(|found| last.get() != Some(found.end)) {
                Some(found) => {
                    at.set(found.end);
                    last.set(Some(found.end));
                    return captures(lua, &text, &found).map(MultiValue::from_vec);
                }
                None => at.set(at.get() + 1),
            }
        }
        Ok(MultiValue::from_vec(vec![Value::Nil]))
    })
}

fn gsub(lua: &Lua, (text, pattern, by, most): (Value, Value, Value, Option<i64>)) -> mlua::Result<(LuaString, i64)> {
    let (text, pattern) = (subject(lua, text, "gsub")?, subject(lua, pattern, "gsub")?);
    let by = match by {
        Value::Integer(_) | Value::Number(_) => Value::String(subject(lua, by, "gsub")?),
        Value::String(_) | Value::Table(_) | Value::Function(_) => by,
        other => {
            let found = kind(&other);
            return Err(Mistake::new(format!("`gsub` replaces by a string, table or function, found {found}")).into());
        }
    };
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let (anchored, pattern) = anchor(&pattern);
    let mut matcher = Matcher::new(&text, pattern);
    let (mut out, mut at, mut count, mut last) = (Vec::with_capacity(text.len()), 0, 0, None);
    while most.is_none_or(|most| count < most) {
        let found = matcher.at(at).map_err(|refusal| refused("gsub", refusal))?;
        if let Some(found) = found.filter(|found| last != Some(found.end)) {
            count += 1;
            replace(lua, &mut out, &text, &found, &by)?;
            at = found.end;
            last = Some(at);
        } else if let Some(byte) = text.get(at) {
            out.push(*byte);
            at += 1;
        } else {
            break;
        }
        if anchored {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok((lua.create_string(out)?, count))
}

fn replace(lua: &Lua, out: &mut Vec<u8>, text: &[u8], found: &Found, by: &Value) -> mlua::Result<()> {
    let values = captures(lua, text, found)?;
    let value = match by {
        Value::String(template) => return fill(lua, out, text, found, &values, &template.as_bytes()),
        Value::Table(table) => table.get(values.into_iter().next().unwrap_or(Value::Nil))?,
        Value::Function(function) => function.call::<Value>(MultiValue::from_vec(values))?,
        _ => Value::Nil,
    };
    match value {
        Value::Nil | Value::Boolean(false) => {
            out.extend_from_slice(text.get(found.start..found.end).unwrap_or_default())
        }
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            out.extend_from_slice(&subject(lua, value, "gsub")?.as_bytes());
        }
        other => return Err(refused("gsub", &format!("invalid replacement value ({})", kind(&other)))),
    }
    Ok(())
}

/// A replacement with its `%0` to `%9` filled in.
fn fill(
    lua: &Lua,
    out: &mut Vec<u8>,
    text: &[u8],
    found: &Found,
    values: &[Value],
    template: &[u8],
) -> mlua::Result<()> {
    let mut rest = template;
    loop {
        rest = match rest {
            [] => return Ok(()),
            [b'%', b'%', rest @ ..] => {
                out.push(b'%');
                rest
            }
            [b'%', b'0', rest @ ..] => {
                out.extend_from_slice(text.get(found.start..found.end).unwrap_or_default());
                rest
            }
            [b'%', digit @ b'1'..=b'9', rest @ ..] => {
                let value = values.get(usize::from(digit - b'1')).cloned();
                let value = value.ok_or_else(|| refused("gsub", "invalid capture index in replacement string"))?;
                out.extend_from_slice(&subject(lua, value, "gsub")?.as_bytes());
                rest
            }
            [b'%', ..] => return Err(refused("gsub", "invalid use of '%' in replacement string")),
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

fn anchor(pattern: &[u8]) -> (bool, &[u8]) {
    pattern.strip_prefix(b"^").map_or((false, pattern), |pattern| (true, pattern))
}

fn first(text: &[u8], pattern: &[u8], from: usize) -> Result<Option<Found>, super::pattern::Refusal> {
    let (anchored, pattern) = anchor(pattern);
    let mut matcher = Matcher::new(text, pattern);
    let last = if anchored { from } else { text.len() };
    for at in from..=last {
        if let Some(found) = matcher.at(at)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn plainly(text: &[u8], wanted: &[u8], from: usize) -> Option<Found> {
    let rest = text.get(from..)?;
    let at = match wanted {
        [] => 0,
        _ => rest.windows(wanted.len()).position(|window| window == wanted)?,
    };
    Some(Found { start: from + at, end: from + at + wanted.len(), captures: Vec::new() })
}

/// Where to begin, from 0: negative numbers count from the end. `None` behind the end.
fn start(init: Option<i64>, length: usize) -> Option<usize> {
    let start = match init.unwrap_or(1) {
        0 => 0,
        init if init > 0 => usize::try_from(init - 1).ok()?,
        init => length.saturating_sub(usize::try_from(init.unsigned_abs()).ok()?),
    };
    (start <= length).then_some(start)
}

/// The captures of a match, or all of it if there are none.
fn captures(lua: &Lua, text: &[u8], found: &Found) -> mlua::Result<Vec<Value>> {
    match found.captures.as_slice() {
        [] => Ok(vec![captured(lua, text, Capture::Text(found.start, found.end))?]),
        captures => captures.iter().map(|capture| captured(lua, text, *capture)).collect(),
    }
}

fn captured(lua: &Lua, text: &[u8], capture: Capture) -> mlua::Result<Value> {
    match capture {
        Capture::Position(at) => Ok(integer(at + 1)),
        Capture::Text(start, end) => lua.create_string(text.get(start..end).unwrap_or_default())?.into_lua(lua),
        Capture::Open(_) => Ok(Value::Nil),
    }
}

fn integer(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn subject(lua: &Lua, value: Value, word: &str) -> mlua::Result<LuaString> {
    let found = kind(&value);
    let text = match value {
        Value::String(text) => Some(text),
        Value::Integer(_) | Value::Number(_) => lua.coerce_string(value)?,
        _ => None,
    };
    text.ok_or_else(|| Mistake::new(format!("`{word}` needs a string, found {found}")).into())
}

fn refused(word: &str, why: &str) -> mlua::Error {
    Mistake::new(format!("`{word}`: {why}")).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a call says, in one text; errors of both libraries read alike.
    const SAY: &str = "local text, pattern = ...
        local function say(f, ...)
          local all = table.pack(pcall(f, ...))
          if not all[1] then return 'error' end
          for i = 1, all.n do all[i] = tostring(all[i]) end
          return table.concat(all, ' ')
        end
        local walked = {}
        pcall(function() for a, b in string.gmatch(text, pattern) do walked[#walked + 1] = tostring(a) .. tostring(b) end end)
        return table.concat({ say(string.find, text, pattern), say(string.find, text, pattern, -3),
          say(string.match, text, pattern, 2), say(string.gsub, text, pattern, '<%0%1>'),
          say(string.gsub, text, pattern, { a = 'x', b = false }, 2),
          say(string.gsub, text, pattern, function(a) return a .. '!' end),
          say(string.find, text, pattern, 1, true), table.concat(walked, ',') }, '\\n')";

    fn say(lua: &Lua, text: &str, pattern: &str) -> String {
        lua.load(SAY).call((text, pattern)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn patterns_mean_what_they_mean_in_lua(text in "[ab1 ()\\-]{0,12}", pattern in "([ab1.]|%[abdswDSW1()-]|%b\\(\\)|%f\\[a\\]|\\[\\^?[ab%d-]{1,3}\\]|[()*+?^$-]|\\(\\)){0,6}") {
            let (own, luas) = (Lua::new(), Lua::new());
            install(&own).unwrap();
            let (own, luas) = (say(&own, &text, &pattern), say(&luas, &text, &pattern));
            if luas.starts_with("error") {
                // A pattern that is no pattern is refused everywhere; Lua overlooks some captures that it does not need.
                prop_assert!(own.starts_with("error"), "{own}");
            } else {
                prop_assert_eq!(own, luas);
            }
        }
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_is_given_up() {
        let lua = Lua::new();
        install(&lua).unwrap();
        let error =
            lua.load("return string.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40) .. 'b')").exec().unwrap_err();
        assert!(error.to_string().contains("`find`: the pattern takes too long to match this text"), "{error}");
    }
}
