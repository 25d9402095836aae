//! A mistake in a recipe: what is wrong, with which key, and how to mend it. Where it stands is found afterwards, from
//! Lua's own traceback, so that recipes without mistakes pay nothing for it.

use std::fmt;

use mlua::Value;

use crate::text;

/// What is wrong, as told by the word that noticed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    /// ``task `zlib` ``, or nothing.
    subject: String,
    /// The keys that lead to the wrong value, outermost first.
    keys: Vec<String>,
    problem: Problem,
    hint: String,
    /// `recipe.lua:12: `, where the mistake was noticed without a traceback.
    spot: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// A whole phrase.
    Says(String),
    /// A phrase that begins with the key's name.
    Key(String),
    /// The last key is not a known one.
    UnknownKey,
}

impl Mistake {
    /// A mistake that has nothing to do with a key.
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self::of(Problem::Says(problem.into()))
    }

    /// A value of the wrong kind; `expected` reads `a string`.
    pub(super) fn expected(expected: &str, found: &Value) -> Self {
        Self::key(format!("must be {expected}, found {}", kind(found)))
    }

    /// Something wrong with a key's value, as a phrase that follows the key's name.
    pub(super) fn key(phrase: impl Into<String>) -> Self {
        Self::of(Problem::Key(phrase.into()))
    }

    /// A key that is none of `known`.
    pub(super) fn unknown_key(key: &str, known: &[&'static str]) -> Self {
        let hint = match text::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", known.join(", ")),
        };
        Self::of(Problem::UnknownKey).at(key).hint(hint)
    }

    /// A name that is none of `known`, which are named in the hint if they are few.
    pub(super) fn unknown_name<'a>(problem: String, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let hint = text::nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        Self::new(problem).hint(hint.unwrap_or_default())
    }

    /// How to mend it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// Says that the mistake lies in the value of `key`.
    pub(super) fn at(mut self, key: &str) -> Self {
        self.0.keys.insert(0, key.to_owned());
        self
    }

    /// Says whose mistake it is, unless that is said already.
    pub(super) fn by(mut self, subject: &str) -> Self {
        if self.0.subject.is_empty() {
            self.0.subject = subject.to_owned();
        }
        self
    }

    /// Says whose mistake an error is, if it is one and that is not said already.
    pub(super) fn attribute(error: mlua::Error, subject: &str) -> mlua::Error {
        match &error {
            mlua::Error::ExternalError(_) => match error.downcast_ref::<Mistake>() {
                Some(mistake) => mistake.clone().by(subject).into(),
                None => error,
            },
            _ => error,
        }
    }

    /// Says where it was noticed, in the form that Lua's messages begin with.
    pub(super) fn noticed(mut self, chunk: &str, line: usize) -> Self {
        self.0.spot = format!("{chunk}:{line}: ");
        self
    }

    /// Where it was noticed, if that was said.
    pub(super) fn spot(&self) -> &str {
        &self.0.spot
    }

    /// The keys that lead to the wrong value, outermost first.
    pub(super) fn keys(&self) -> &[String] {
        &self.0.keys
    }

    /// How to mend it, or nothing.
    pub(super) fn remedy(&self) -> &str {
        &self.0.hint
    }
}

impl Mistake {
    fn of(problem: Problem) -> Self {
        let (subject, hint, spot) = Default::default();
        Self(Box::new(Parts { subject, keys: Vec::new(), problem, hint, spot }))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.subject.is_empty() {
            write!(f, "{}: ", self.0.subject)?;
        }
        let keys = self.0.keys.join(".");
        match &self.0.problem {
            Problem::Says(problem) => f.write_str(problem),
            Problem::Key(phrase) if keys.is_empty() => f.write_str(phrase),
            Problem::Key(phrase) => write!(f, "`{keys}` {phrase}"),
            Problem::UnknownKey => write!(f, "unknown key `{keys}`"),
        }
    }
}

impl std::error::Error for Mistake {}

impl From<Mistake> for mlua::Error {
    fn from(mistake: Mistake) -> Self {
        mlua::Error::external(mistake)
    }
}

/// A value's kind with its article, in Lua's words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Table(_) => "a table",
        Value::Function(_) => "a function",
        Value::Thread(_) => "a coroutine",
        Value::Error(_) => "an error",
        _ => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_names_its_subject_and_the_way_to_the_key() {
        let mistake = Mistake::expected("a string", &Value::Boolean(true)).at("url").at("source").by("task `zlib`");
        assert_eq!(mistake.to_string(), "task `zlib`: `source.url` must be a string, found a boolean");
    }

    #[test]
    fn an_unknown_key_comes_with_the_nearest_or_all() {
        let near = Mistake::unknown_key("sha265", &["url", "sha256"]).at("source");
        assert_eq!(
            (near.to_string().as_str(), near.remedy()),
            ("unknown key `source.sha265`", "did you mean `sha256`?")
        );
        assert_eq!(Mistake::unknown_key("colour", &["url", "sha256"]).remedy(), "known keys: url, sha256");
    }
}
