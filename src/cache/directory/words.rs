//! The words of a key of the configuration, of which one is to be chosen.

use crate::error::Result;

/// A key's values, each with its word.
pub(super) type Words<T> = [(&'static str, T)];

/// The value of a word, or a hint which ones there are.
pub(super) fn find<T: Copy>(text: &str, words: &Words<T>) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("it is one of {}", words.join(", "))
    })
}
