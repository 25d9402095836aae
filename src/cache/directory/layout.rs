//! The layout: which file of a directory store lies where.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::model::Digest;

/// The paths of a store.
///
/// ```text
/// <dir>/
///   format               marker and version: `cortado store 2`
///   config.toml          how large it may get, and the rest of what its owner decides
///   lock                 held while the ledger or the index changes; says by whom
///   ledger               how full the store is, and what has been granted to whom
///   journal              what happened to objects since the index was written
///   objects/<xx>/<name>  the artifacts; xx are the first hex digits of the SHA-256 of the name
///   index/<xx>           what is known about the objects of `objects/<xx>`
///   pins/<name>          an empty file: that object is never evicted
///   writers/<id>/log     what one open store has done since it last told the ledger; locked while it is open
///   writers/<id>/<n>     files on their way into the store, or out of it
///   server/              what `cortado serve` has counted: no concern of the store's
/// ```
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

/// How many directories objects are spread over.
const SHARDS: u16 = 256;

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn format(&self) -> PathBuf {
        self.root.join("format")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Where an object of that name is, or would be.
    pub(super) fn object(&self, name: &str) -> anyhow::Result<PathBuf> {
        ensure!(is_name(name), "`{}` cannot be the name of an object", name.escape_debug());
        Ok(self.objects().join(shard_of(name)).join(name))
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    pub(super) fn pins(&self) -> PathBuf {
        self.root.join("pins")
    }

    pub(super) fn writers(&self) -> PathBuf {
        self.root.join("writers")
    }

    /// The directories that a store has from its beginning.
    pub(super) fn dirs(&self) -> [PathBuf; 4] {
        [self.objects(), self.index(), self.pins(), self.writers()]
    }
}

/// The names of all shards, in order.
pub(super) fn shards() -> impl Iterator<Item = String> + Send {
    (0..SHARDS).map(|number| format!("{number:02x}"))
}

/// The shard that a name belongs to.
pub(super) fn shard_of(name: &str) -> String {
    let digest = Digest::of(name).hex();
    String::from_utf8_lossy(&digest[..2]).into_owned()
}

/// Whether an object can bear that name: one visible component of a path.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(['/', '\0'])
}
