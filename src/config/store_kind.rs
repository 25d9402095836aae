//! The kinds of stores, and the keys of each.

use super::key::Key;
use super::words;

/// The kinds of stores that a configuration can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// A directory, shared or not.
    Directory,
    /// A web server.
    Http,
    /// Amazon S3 and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azblob,
    /// Redis and what speaks like it.
    Redis,
    /// Memcached.
    Memcached,
    /// A WebDAV server.
    Webdav,
}

impl StoreKind {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Directory, Self::Http, Self::S3, Self::Gcs, Self::Azblob, Self::Redis, Self::Memcached, Self::Webdav];

    /// The word for it: `directory`, `s3`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Http => "http",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azblob => "azblob",
            Self::Redis => "redis",
            Self::Memcached => "memcached",
            Self::Webdav => "webdav",
        }
    }

    /// What that word stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The keys of such a store, without those of every tier.
    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::Directory => words::DIRECTORY,
            Self::Http => words::HTTP,
            Self::S3 => words::S3,
            Self::Gcs => words::GCS,
            Self::Azblob => words::AZBLOB,
            Self::Redis => words::REDIS,
            Self::Memcached => words::MEMCACHED,
            Self::Webdav => words::WEBDAV,
        }
    }

    /// Whether such a store has a key that is spelled so.
    pub fn takes(self, spelling: &str) -> bool {
        self.keys().iter().chain(Key::OF_TIERS).flat_map(Key::spellings).any(|(name, _)| name == spelling)
    }

    /// Whether this program was compiled with it.
    pub fn is_compiled(self) -> bool {
        match self {
            Self::Directory => true,
            Self::Http => cfg!(feature = "http"),
            Self::S3 => cfg!(feature = "s3"),
            Self::Gcs => cfg!(feature = "gcs"),
            Self::Azblob => cfg!(feature = "azblob"),
            Self::Redis => cfg!(feature = "redis"),
            Self::Memcached => cfg!(feature = "memcached"),
            Self::Webdav => cfg!(feature = "webdav"),
        }
    }
}
