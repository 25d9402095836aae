//! How an installed file relates to the tree that it comes from.

use serde::{Deserialize, Serialize};

/// How files of a tree are put at their installed place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LinkMode {
    /// The cheapest that works: reflink, else hard link, else copy.
    #[default]
    Auto,
    /// Share blocks until one side is written; copy where the file system cannot (ext4, or across devices).
    Reflink,
    /// One file under two names; copy where that is impossible. Editing the installed file in place edits the tree's,
    /// which is noticed and costs a rebuild.
    Hardlink,
    /// An independent file.
    Copy,
}
