//! Tables of options: each key has one word, which knows its name and what it sets. Reading a table is walking that
//! list, and so is documenting it.

use mlua::{Table, Value};

use super::mistake::Mistake;

/// A key of a table and what its value does to a `T`.
pub(super) struct Word<T: 'static> {
    pub(super) name: &'static str,
    pub(super) set: fn(T, &Value) -> Result<T, Mistake>,
}

/// Names of words, for hints and for comparing with the annotations.
pub(super) fn names<T>(words: &[Word<T>]) -> Vec<&'static str> {
    words.iter().map(|word| word.name).collect()
}

/// Sets on `subject` what `options` says. Words apply in the order of their list, whatever order Lua keeps the table
/// in, so that the first of several mistakes is always the same one.
pub(super) fn apply<T>(subject: T, options: &Table, words: &'static [Word<T>]) -> mlua::Result<T> {
    let mut subject = subject;
    for (word, value) in given(options, words)? {
        subject = (word.set)(subject, &value).map_err(|mistake| mistake.at(word.name))?;
    }
    Ok(subject)
}

fn given<T>(options: &Table, words: &'static [Word<T>]) -> mlua::Result<Vec<(&'static Word<T>, Value)>> {
    let mut given = Vec::with_capacity(8);
    let mut strangers = Vec::new();
    options.for_each(|key: Value, value: Value| {
        match position(&key, words) {
            Some(position) => given.push((position, value)),
            None => strangers.push(key),
        }
        Ok(())
    })?;
    if let Some(mistake) = strangers.iter().map(|key| stranger(key, words)).min_by_key(Mistake::to_string) {
        return Err(mistake.into());
    }
    given.sort_unstable_by_key(|(position, _)| *position);
    Ok(given.into_iter().filter_map(|(position, value)| Some((words.get(position)?, value))).collect())
}

fn position<T>(key: &Value, words: &[Word<T>]) -> Option<usize> {
    let Value::String(key) = key else { return None };
    let key = key.as_bytes();
    words.iter().position(|word| word.name.as_bytes() == &*key)
}

fn stranger<T>(key: &Value, words: &[Word<T>]) -> Mistake {
    match key {
        Value::String(key) => Mistake::unknown_key(&key.to_string_lossy(), &names(words)),
        _ => Mistake::new("a value has no key").hint("write `key = value`"),
    }
}
