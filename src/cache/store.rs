//! The store: a ready-made place for artifacts. Every store is callbacks.

use std::io::Read;
use std::time::SystemTime;

use super::artifact::Artifact;
use super::cacher::Cacher;
use super::callbacks::Callbacks;

/// A place that keeps objects under names. Synchronous; the engine calls it from several threads at once.
///
/// An object appears whole or not at all, and a name that is taken stays taken unless [`Put::replace`] is set.
pub trait Store: Send + Sync {
    /// The place, for messages: `directory /var/cache/shop`. It holds no credentials.
    fn place(&self) -> String;

    /// Opens an object; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>>;

    /// Keeps an object.
    ///
    /// # Errors
    /// When it is not kept; nothing of it is visible then.
    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored>;

    /// Whether there is an object of that name.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn has(&self, name: &str) -> anyhow::Result<bool>;

    /// Removes an object; `false` when there was none.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    fn remove(&self, name: &str) -> anyhow::Result<bool>;

    /// Everything that is kept, in no particular order.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn list(&self) -> anyhow::Result<Vec<Listed>>;
}

/// How to keep an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Put {
    /// Whether an object of the same name is replaced; else the first one stays.
    pub replace: bool,
}

impl Put {
    /// Replaces an object of the same name.
    pub fn replacing(replace: bool) -> Self {
        Self { replace }
    }
}

/// What became of a [`put`](Store::put).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The object is kept.
    New,
    /// An object of that name was there already and stayed.
    Present,
}

/// An object in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put there, where the store knows.
    pub stored: Option<SystemTime>,
}

impl Listed {
    /// An object of a store.
    pub fn new(name: impl Into<String>, size: u64, stored: Option<SystemTime>) -> Self {
        Self { name: name.into(), size, stored }
    }
}

impl<S: Store + ?Sized> Callbacks for S {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        let Some(object) = self.get(cacher.filename())? else { return Ok(false) };
        let whole = cacher.unpack_from(object)?;
        if cacher.corrupt().is_some() {
            // The first writer wins, so a corrupt object would stay for ever. A store that may not remove it keeps it.
            _ = self.remove(cacher.filename());
        }
        Ok(whole)
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        let mut file = std::fs::File::open(artifact.path())?;
        self.put(artifact.filename(), &mut file, &Put::replacing(artifact.replace()))?;
        Ok(true)
    }
}
