//! The key: a word of the configuration, what it takes, and who may say it.

use super::kind::Kind;

/// A key of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Its name in files, in lower case.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// Why only the user says it, and never what came with a project; empty where both may.
    pub(super) own: &'static str,
    /// Where the specification has it: under its name, or below another one, `network.proxy`.
    pub(super) at: &'static str,
    /// Whether a store is nothing without it.
    pub(super) needed: bool,
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, own: "", at: name, needed: false }
    }

    /// Whether only the user says it, and nothing that came with a project.
    pub fn is_own(&self) -> bool {
        !self.own.is_empty() || self.kind == Kind::Secret
    }

    /// Only the user says it, and why.
    pub(super) const fn own(self, why: &'static str) -> Self {
        Self { own: why, ..self }
    }

    /// A store is nothing without it.
    pub(super) const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    /// The specification has it elsewhere: `network.proxy`.
    pub(super) const fn at(self, at: &'static str) -> Self {
        Self { at, ..self }
    }
}

/// How the value of a key is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// `token_file`: a file has it.
    File,
    /// `token_command`: a command prints it.
    Command,
}

impl Form {
    /// What a name ends with in this form.
    fn ending(self) -> &'static str {
        match self {
            Form::Plain => "",
            Form::File => "_file",
            Form::Command => "_command",
        }
    }

    /// The forms of a kind: only what may hold a secret has several.
    fn of(kind: Kind) -> &'static [Form] {
        if matches!(kind, Kind::Secret | Kind::Address) {
            &[Form::Plain, Form::File, Form::Command]
        } else {
            &[Form::Plain]
        }
    }
}

impl Key {
    /// The names under which it can be given.
    pub(super) fn spellings(&self) -> impl Iterator<Item = (String, Form)> + use<> {
        let (name, kind) = (self.name, self.kind);
        Form::of(kind).iter().map(move |form| (format!("{name}{}", form.ending()), *form))
    }

    /// What the value has to be in that form.
    pub(super) fn kind_in(&self, form: Form) -> Kind {
        match form {
            Form::Plain => self.kind,
            Form::File => Kind::Path,
            Form::Command => Kind::Text,
        }
    }
}
