//! The store: a ready-made place for artifacts. Every store is callbacks.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;

use super::artifact::Artifact;
use super::cacher::Cacher;
use super::callbacks::Callbacks;
use super::capacity::Capacity;
use super::listed::{Listed, Objects};
use super::object::Object;
use super::offer::Offer;
use super::page;
use super::policy::CachePolicy;
use super::put::Put;
use super::remarks::Remark;
use super::stored::Stored;

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

    /// Opens an object, as a file where the store has one: a server reads parts of it. `None` when there is none of that
    /// name.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn object(&self, name: &str) -> anyhow::Result<Option<Object>> {
        Ok(self.get(name)?.map(Object::Stream))
    }

    /// Keeps an object.
    ///
    /// # Errors
    /// When it is not kept; nothing of it is visible then.
    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored>;

    /// Keeps an object whose content lies in a file. A store that can take the file itself (by a link, say) does; the
    /// file stays where it is, and is not changed while the store may still share its content.
    ///
    /// # Errors
    /// When it is not kept; nothing of it is visible then.
    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        let mut file = std::fs::File::open(path).with_context(|| format!("could not open `{}`", path.display()))?;
        self.put(name, &mut file, options)
    }

    /// Whether there is an object of that name.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn has(&self, name: &str) -> anyhow::Result<bool>;

    /// What is known about an object; `None` where there is none of that name, or where nothing is known without
    /// transferring it or asking a server once more.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        _ = name;
        Ok(None)
    }

    /// How much room there is, at a glance; `None` where nobody knows.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn capacity(&self) -> anyhow::Result<Option<Capacity>> {
        Ok(None)
    }

    /// Removes an object; `false` when there was none.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    fn remove(&self, name: &str) -> anyhow::Result<bool>;

    /// Everything that is kept, in no particular order. What comes or goes meanwhile may be listed or not.
    ///
    /// # Errors
    /// When the store cannot answer; an item is an error when it fails half-way.
    fn list(&self) -> anyhow::Result<Objects<'_>>;

    /// The first `limit` objects of the list behind a name, in an order of the store's own that never changes: by name unless it
    /// knows a cheaper one. There need not be an object of that name. Fewer than `limit` are the last ones.
    ///
    /// # Errors
    /// When the store cannot answer.
    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        page::by_name(self.list()?, after, limit)
    }
}

impl<S: Store + ?Sized> Callbacks for S {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        let Some(object) = self.get(cacher.filename())? else { return Ok(false) };
        let whole = cacher.unpack_from(object)?;
        if let Ok(Some(known)) = self.describe(cacher.filename()) {
            cacher.originates(known.provenance);
        }
        if cacher.corrupt().is_some() {
            // The first writer wins, so a corrupt object would stay for ever. A store that may not remove it keeps it.
            _ = self.remove(cacher.filename());
        }
        Ok(whole)
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        let start = Instant::now();
        let stored = self.put_file(artifact.filename(), artifact.path(), &Put::of(artifact))?;
        let offer = Offer::sole(stored.clone().into(), artifact.size(), start.elapsed());
        artifact.remark(Remark::Offered(offer));
        match stored {
            Stored::New | Stored::Present => Ok(true),
            Stored::Differs(how) => {
                artifact.warn(format!("{} keeps another artifact of the same key: {how}", self.place()));
                Ok(true)
            }
            Stored::Declined(why) => {
                artifact.warn(format!("{} did not take the artifact: {why}", self.place()));
                Ok(false)
            }
        }
    }

    fn ready(&self, policy: CachePolicy) -> anyhow::Result<()> {
        match policy.requires_read() {
            true => self.has(PROBE).map(drop).with_context(|| format!("{} does not answer", self.place())),
            false => Ok(()),
        }
    }
}

/// A name that no artifact has: a store is asked for it to find out whether it answers.
pub(crate) const PROBE: &str = "cortado-probe";

/// A store that several share is one.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn place(&self) -> String {
        (**self).place()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        (**self).get(name)
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        (**self).put(name, content, options)
    }

    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        (**self).put_file(name, path, options)
    }

    fn object(&self, name: &str) -> anyhow::Result<Option<Object>> {
        (**self).object(name)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        (**self).has(name)
    }

    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        (**self).describe(name)
    }

    fn capacity(&self) -> anyhow::Result<Option<Capacity>> {
        (**self).capacity()
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        (**self).remove(name)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        (**self).list()
    }

    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        (**self).page(after, limit)
    }
}
