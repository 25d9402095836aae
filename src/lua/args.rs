//! The values that a word of a recipe is called with, taken one by one.

use std::vec::IntoIter;

use mlua::{Function, MultiValue, Value};

use super::mistake::Mistake;
use super::table::{self, Word};
use super::value;

/// Values yet to be taken.
pub(super) struct Args {
    word: &'static str,
    taken: usize,
    values: IntoIter<Value>,
}

impl Args {
    /// The arguments of `word`, without the object that it was called on.
    pub(super) fn new(word: &'static str, values: MultiValue) -> Self {
        Self { word, taken: 0, values: values.into_vec().into_iter() }
    }

    /// The next value, or nil.
    pub(super) fn next(&mut self) -> Value {
        self.taken += 1;
        self.values.next().unwrap_or(Value::Nil)
    }

    /// Whether the next value is a string.
    pub(super) fn is_text(&self) -> bool {
        self.values.as_slice().first().is_some_and(Value::is_string)
    }

    /// Whether the next value is a table.
    pub(super) fn is_table(&self) -> bool {
        self.values.as_slice().first().is_some_and(Value::is_table)
    }

    /// The next value, a string; `what` says what it is for.
    pub(super) fn text(&mut self, what: &str) -> Result<String, Mistake> {
        let value = self.next();
        value::text(&value).map_err(|_| self.expected(what, "a string", &value))
    }

    /// The next value, a function.
    pub(super) fn function(&mut self, what: &str) -> Result<Function, Mistake> {
        match self.next() {
            Value::Function(function) => Ok(function),
            value => Err(self.expected(what, "a function", &value)),
        }
    }

    /// The next value, a list of strings; an absent one is empty.
    pub(super) fn texts(&mut self, what: &str) -> Result<Vec<String>, Mistake> {
        match self.next() {
            Value::Nil => Ok(Vec::new()),
            value => value::texts(&value).map_err(|_| self.expected(what, "a list of strings", &value)),
        }
    }

    /// Applies the last value, a table of options; an absent one changes nothing.
    pub(super) fn options<T>(&mut self, subject: T, words: &'static [Word<T>]) -> mlua::Result<T> {
        let subject = match self.next() {
            Value::Nil => subject,
            Value::Table(options) => table::apply(subject, &options, words)?,
            value => return Err(self.expected("its options", "a table", &value).into()),
        };
        self.end()?;
        Ok(subject)
    }

    /// Refuses further values.
    pub(super) fn end(&mut self) -> Result<(), Mistake> {
        let word = self.word;
        match self.values.next() {
            None | Some(Value::Nil) => Ok(()),
            Some(_) => Err(Mistake::new(format!("`{word}` has more values than it takes, {}", self.taken))),
        }
    }

    /// A mistake about the value that was taken last.
    pub(super) fn expected(&self, what: &str, expected: &str, found: &Value) -> Mistake {
        let (word, found) = (self.word, super::mistake::kind(found));
        Mistake::new(format!("value {} of `{word}`, {what}, must be {expected}, found {found}", self.taken))
    }
}
