//! `template`: a file made from a template and variables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Command, Content};

/// A template's variables by name. Values are JSON: texts, numbers, booleans, lists and maps.
pub type Variables = BTreeMap<String, serde_json::Value>;

/// Renders a Jinja template (`{{ name }}`, `{% for … %}`; first newline after a block is dropped) and writes the
/// result to `dest`. A name without a value is an error. Path words of values are replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub(crate) content: Content,
    pub(crate) dest: PathBuf,
    pub(crate) mode: u32,
    pub(crate) variables: Variables,
}

impl Template {
    /// A template file of the recipe, rendered to `dest`.
    pub fn file(path: impl Into<PathBuf>, dest: impl Into<PathBuf>) -> Self {
        Self::new(Content::File(path.into()), dest.into())
    }

    /// A template written in the recipe, rendered to `dest`.
    pub fn text(text: impl Into<Vec<u8>>, dest: impl Into<PathBuf>) -> Self {
        Self::new(Content::Inline(text.into()), dest.into())
    }

    /// Gives a variable its value.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Gives several variables their values.
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables.extend(variables);
        self
    }

    /// The file's permission bits; 0644 unless said.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    fn new(content: Content, dest: PathBuf) -> Self {
        Self { content, dest, mode: 0o644, variables: Variables::new() }
    }
}

impl From<Template> for Command {
    fn from(step: Template) -> Self {
        Command::Template(step)
    }
}
