//! What the result of an action names: contents without which it is of no use.
//!
//! The messages are `ActionResult`, `Tree` and `Directory` of `build/bazel/remote/execution/v2/remote_execution.proto`.

use super::fields::{Fields, NotAMessage, Value};
use crate::Digest;

/// The contents that a message names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Files, and what was said.
    pub(super) files: Vec<Digest>,
    /// Directories. What such a content is names further ones.
    pub(super) trees: Vec<Digest>,
}

impl Named {
    /// What a result names.
    ///
    /// # Errors
    /// When it is no result of Bazel's: other tools keep something else in its place.
    pub(super) fn by_result(message: &[u8]) -> Result<Self, NotAMessage> {
        let mut named = Self::default();
        for field in Fields::of(message) {
            match field? {
                (2, file) => named.files.extend(digest_within(file, 2)?),
                (3, directory) => named.trees.extend(digest_within(directory, 3)?),
                (6 | 8, said) => named.files.extend(digest(said)?),
                _ => {}
            }
        }
        Ok(named)
    }

    /// What the directories of a tree name.
    ///
    /// # Errors
    /// When it is no tree.
    pub(super) fn by_tree(message: &[u8]) -> Result<Vec<Digest>, NotAMessage> {
        let mut files = Vec::new();
        for directory in Fields::of(message) {
            let (1 | 2, directory) = directory? else { continue };
            for field in Fields::of(bytes(directory)?) {
                if let (1, file) = field? {
                    files.extend(digest_within(file, 2)?);
                }
            }
        }
        Ok(files)
    }
}

/// The digest in a field of a message.
fn digest_within(message: Value<'_>, number: u64) -> Result<Option<Digest>, NotAMessage> {
    let mut found = None;
    for field in Fields::of(bytes(message)?) {
        match field? {
            (field, value) if field == number => found = digest(value)?,
            _ => {}
        }
    }
    Ok(found)
}

/// A digest; none for that of the content without bytes, which need not be kept.
fn digest(message: Value<'_>) -> Result<Option<Digest>, NotAMessage> {
    let mut found = None;
    for field in Fields::of(bytes(message)?) {
        if let (1, hash) = field? {
            let text = std::str::from_utf8(bytes(hash)?).map_err(|_| NotAMessage)?;
            found = Some(text.parse().map_err(|_| NotAMessage)?);
        }
    }
    Ok(found.filter(|digest| *digest != Digest::of("")))
}

fn bytes(value: Value<'_>) -> Result<&[u8], NotAMessage> {
    if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(NotAMessage) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that holds bytes.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, content.len() as u8][..], content].concat()
    }

    fn digest(content: &str) -> Vec<u8> {
        [field(1, Digest::of(content).to_string().as_bytes()), vec![2 << 3, content.len() as u8]].concat()
    }

    #[test]
    fn a_result_names_files_directories_and_what_was_said() {
        let file = |content: &str| field(2, &[field(1, b"a/b"), field(2, &digest(content)), vec![4 << 3, 1]].concat());
        let directory = field(3, &[field(1, b"dir"), field(3, &digest("tree"))].concat());
        let result =
            [file("one"), file(""), directory, vec![4 << 3, 0], field(6, &digest("out")), field(8, &digest("err"))];
        let named = Named::by_result(&result.concat()).unwrap();
        assert_eq!(named.files, ["one", "out", "err"].map(Digest::of));
        assert_eq!(named.trees, [Digest::of("tree")]);
    }

    #[test]
    fn a_tree_names_the_files_of_all_its_directories() {
        let directory = |content: &str| [field(1, &field(2, &digest(content))), field(2, &field(1, b"sub"))].concat();
        let tree = [field(1, &directory("one")), field(2, &directory("two"))].concat();
        assert_eq!(Named::by_tree(&tree), Ok(["one", "two"].map(Digest::of).to_vec()));
    }

    #[test]
    fn what_is_no_result_names_nothing() {
        assert_eq!(Named::by_result(b""), Ok(Named::default()));
        for other in [&b"{}"[..], b"cC\x01", &field(2, b"beans"), &field(6, &field(1, b"beans")), &[6 << 3, 1]] {
            assert_eq!(Named::by_result(other), Err(NotAMessage), "{other:?}");
        }
    }
}
