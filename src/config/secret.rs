//! The source of a secret: who has it. It is asked when a store is opened, not before.

use std::fmt;
use std::path::PathBuf;

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretSource {
    /// The key that it belongs to: `stores.far.token`.
    pub key: String,
    /// Who has it.
    pub holder: Holder,
    /// Where the specification has it.
    pub(super) at: &'static str,
}

/// Who has a secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// We do: it was given as it is.
    Given(String),
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a shell command prints.
    Command(String),
}

impl SecretSource {
    pub(super) fn given(key: String, at: &'static str, secret: String) -> Self {
        Self { key, at, holder: Holder::Given(secret) }
    }

    pub(super) fn file(key: String, at: &'static str, path: String) -> Self {
        Self { key, at, holder: Holder::File(path.into()) }
    }

    pub(super) fn command(key: String, at: &'static str, command: String) -> Self {
        Self { key, at, holder: Holder::Command(command) }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.key, self.holder)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Given(_) => f.write_str("***"),
            Holder::File(path) => write!(f, "{path:?}"),
            Holder::Command(command) => write!(f, "{command:?}"),
        }
    }
}
