//! A store that is only read, whatever it could do.

use std::io::Read;
use std::path::Path;

use anyhow::bail;

use super::capacity::Capacity;
use super::listed::{Listed, Objects};
use super::object::Object;
use super::put::Put;
use super::store::Store;
use super::stored::Stored;

/// A store that is only read: it declines every object, and removes none.
#[derive(Debug, Clone)]
pub struct ReadOnly<S> {
    store: S,
}

impl<S: Store> ReadOnly<S> {
    /// The same objects, for reading.
    pub fn new(store: S) -> Self {
        Self { store }
    }
}

const DECLINED: &str = "it is only read";

impl<S: Store> Store for ReadOnly<S> {
    fn place(&self) -> String {
        self.store.place()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.store.get(name)
    }

    fn object(&self, name: &str) -> anyhow::Result<Option<Object>> {
        self.store.object(name)
    }

    fn put(&self, _: &str, _: &mut dyn Read, _: &Put) -> anyhow::Result<Stored> {
        Ok(Stored::Declined(DECLINED.into()))
    }

    fn put_file(&self, _: &str, _: &Path, _: &Put) -> anyhow::Result<Stored> {
        Ok(Stored::Declined(DECLINED.into()))
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.store.has(name)
    }

    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        self.store.describe(name)
    }

    fn capacity(&self) -> anyhow::Result<Option<Capacity>> {
        self.store.capacity()
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        bail!("could not remove `{name}`: {} is only read", self.place())
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        self.store.list()
    }

    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        self.store.page(after, limit)
    }
}
