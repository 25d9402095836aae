//! A script: the text of a recipe or module as Lua was given it, under the name that Lua's messages use for it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::lexer::{self, Span};

/// A text that Lua has compiled.
pub(super) struct Script {
    chunk: String,
    path: PathBuf,
    text: String,
    functions: OnceCell<Vec<Span>>,
}

/// Where something stands in a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

/// Lua shortens longer names in its messages, which could then not be told apart.
const LONGEST_CHUNK: usize = 56;

impl Script {
    /// The script `name`, a path below the recipe directory, which people know as `path`. `number` tells apart scripts
    /// whose names are too long for Lua.
    pub(super) fn new(name: &str, number: usize, path: PathBuf, text: String) -> Self {
        let chunk = if name.len() <= LONGEST_CHUNK { name.to_owned() } else { format!("script {number}") };
        Self { chunk, path, text: without_shebang(text), functions: OnceCell::new() }
    }

    /// A piece of another script, with as many empty lines before it as keep its line numbers.
    pub(super) fn piece(chunk: &str, path: &Path, line: usize, text: &str) -> Self {
        let text = format!("{}return {text}", "\n".repeat(line.saturating_sub(1)));
        Self { chunk: chunk.to_owned(), path: path.to_owned(), text, functions: OnceCell::new() }
    }

    /// The name in Lua's messages.
    pub(super) fn chunk(&self) -> &str {
        &self.chunk
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What Lua compiles.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The texts of all functions that begin and end on these lines.
    pub(super) fn functions(&self, first_line: usize, last_line: usize) -> Vec<&str> {
        let spans = self.functions.get_or_init(|| lexer::functions(&self.text));
        let from = spans.partition_point(|span| span.first_line < first_line);
        let here = spans.iter().skip(from).take_while(|span| span.first_line == first_line);
        let same = here.filter(|span| span.last_line == last_line);
        same.filter_map(|span| self.text.get(span.bytes.clone())).collect()
    }

    /// The line of the key that `keys` lead to, in a table on `line` or later.
    pub(super) fn key_line(&self, line: usize, keys: &[String]) -> Option<usize> {
        lexer::key_line(&self.text, line, keys)
    }

    /// Reads `name:12: the rest`, if it speaks of this script.
    pub(super) fn line_of<'t>(&self, text: &'t str) -> Option<(usize, &'t str)> {
        let (line, rest) = text.strip_prefix(&self.chunk)?.strip_prefix(':')?.split_once(':')?;
        Some((line.parse().ok()?, rest.trim_start()))
    }
}

/// A first line for the system's loader becomes a comment of the same line.
fn without_shebang(text: String) -> String {
    if text.starts_with('#') { format!("--{text}") } else { text }
}
