//! A namespace: a part of a store that looks like a whole one, so that several teams can share a bucket.

use std::io::Read;
use std::path::Path;

use super::listed::{Listed, Objects};
use super::object::Object;
use super::put::Put;
use super::store::Store;
use super::stored::Stored;
use crate::error::{Error, Result};

/// The objects of a store whose names begin with `<namespace>~`, without that beginning.
#[derive(Debug, Clone)]
pub struct Namespace<S> {
    store: S,
    prefix: String,
}

/// Ends the name of a namespace. No project or task has it in its name.
const END: char = '~';

impl<S: Store> Namespace<S> {
    /// The namespace of that name: ASCII letters, digits, `-`, `_` and `.`, beginning with a letter or digit, 64 of them
    /// at most.
    ///
    /// # Errors
    /// Another name.
    pub fn new(name: &str, store: S) -> Result<Self> {
        let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || name.len() > 64 || !name.chars().all(sane) {
            return Err(Error::Invalid {
                place: format!("namespace `{}`", name.escape_debug()),
                problem: "this cannot be the name of a namespace".into(),
                hint: "use letters, digits, `-`, `_` and `.`, 64 of them at most".into(),
            });
        }
        Ok(Self { store, prefix: format!("{name}{END}") })
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn own(&self, mut listed: Listed) -> Option<Listed> {
        listed.name = listed.name.strip_prefix(&self.prefix)?.to_owned();
        Some(listed)
    }
}

impl<S: Store> Store for Namespace<S> {
    fn place(&self) -> String {
        format!("{} of {}", self.prefix.trim_end_matches(END), self.store.place())
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.store.get(&self.full(name))
    }

    fn object(&self, name: &str) -> anyhow::Result<Option<Object>> {
        self.store.object(&self.full(name))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        self.store.put(&self.full(name), content, options)
    }

    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        self.store.put_file(&self.full(name), path, options)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.store.has(&self.full(name))
    }

    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        Ok(self.store.describe(&self.full(name))?.and_then(|listed| self.own(listed)))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        self.store.remove(&self.full(name))
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let own = |listed: anyhow::Result<Listed>| listed.map(|listed| self.own(listed)).transpose();
        Ok(Box::new(self.store.list()?.filter_map(own)))
    }

    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        let (mut own, mut after) = (Vec::new(), after.map(|after| self.full(after)));
        while own.len() < limit {
            let page = self.store.page(after.as_deref(), limit)?;
            let is_last = page.len() < limit;
            after = page.last().map(|last| last.name.clone());
            own.extend(page.into_iter().filter_map(|listed| self.own(listed)));
            if is_last {
                break;
            }
        }
        own.truncate(limit);
        Ok(own)
    }
}
