//! Permissions: who else may read and write what a store creates.

use std::str::FromStr;

use super::words::{Words, find};
use crate::error::Result;

/// Who else may read and write what a store creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Perm {
    /// What the umask and default ACLs leave.
    #[default]
    None,
    /// The group may do what the owner may, whatever the umask says.
    Group,
    /// Everybody may do what the owner may, whatever the umask says.
    Other,
}

impl Perm {
    pub(super) const WORDS: &Words<Self> = &[("none", Self::None), ("group", Self::Group), ("other", Self::Other)];
}

impl FromStr for Perm {
    type Err = String;

    /// `none`, `group` or `other`.
    fn from_str(text: &str) -> Result<Self, String> {
        find(text, Self::WORDS)
    }
}
