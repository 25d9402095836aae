//! A mask: the secrets of a store, so that no message of a service or a library repeats one.

use crate::host::http::escape;
use crate::model::MASK;

/// Texts to leave out of messages.
#[derive(Default)]
pub(super) struct Mask {
    secrets: Vec<String>,
}

impl Mask {
    /// A mask of these, as they are and as they stand in addresses.
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let given = secrets.into_iter().filter(|secret| !secret.is_empty());
        let mut secrets: Vec<_> = given.flat_map(|secret| [escape(&secret), secret]).collect();
        // The longest first: a secret may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// A message without them.
    pub(super) fn hide(&self, message: &str) -> String {
        self.secrets.iter().fold(message.to_owned(), |message, secret| message.replace(secret.as_str(), MASK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_however_they_are_written() {
        let mask = Mask::new(["a/b".to_owned(), String::new(), "a/b=".to_owned()]);
        assert_eq!(mask.hide("key a/b= or a%2Fb, not a"), "key *** or ***, not a");
    }
}
