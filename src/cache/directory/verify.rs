//! Verifying: reading every object again.

use std::fs::File;
use std::io;

use anyhow::Context;
use serde::Serialize;

use super::DirectoryStore;
use super::layout::shards;
use super::shard::{Object, Shard};
use super::tale::Tale;
use crate::cache::whole::seal;
use crate::model::Digest;

/// An object that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Flaw {
    /// The object's name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Flaw {
    /// A flaw of an object.
    pub fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

impl DirectoryStore {
    /// Reads every object to its end, and tells of those that are damaged. Nothing is changed: remove them by name.
    ///
    /// Of an artifact (`….tar.gz`) everything is checked that unpacking it would check; of anything else, that it can be read.
    /// Objects that come or go meanwhile may be looked at or not.
    ///
    /// # Errors
    /// When the store cannot be read; an item is an error when that happens half-way.
    pub fn verify(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Flaw>> + Send + '_> {
        let tale = Tale::read(&self.depot.layout, None).context("could not read the logs of the store")?;
        let shards = shards().map(|name| Shard::new(&self.depot.layout, name));
        let objects = shards.flat_map(move |shard| match shard.content(&tale) {
            Ok(content) => content.objects.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        });
        Ok(objects.filter_map(|object| match object {
            Ok(object) => self.flaw(object).map(Ok),
            Err(error) => Some(Err(error).context("could not read the objects of the store")),
        }))
    }

    fn flaw(&self, object: Object) -> Option<Flaw> {
        let entry = object.entry;
        let path = self.depot.layout.object(&entry.name).ok()?;
        let problem = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
            Ok(file) if entry.name.ends_with(".tar.gz") => artifact_problem(&entry.name, file, entry.digest)?,
            Ok(mut file) => io::copy(&mut file, &mut io::sink()).err()?.to_string(),
        };
        Some(Flaw { name: entry.name, problem })
    }
}

fn artifact_problem(name: &str, file: File, known: Option<Digest>) -> Option<String> {
    let seal = match seal(file) {
        Err(error) => return Some(error.to_string()),
        Ok(seal) => seal,
    };
    let tag = Digest::of(name.strip_suffix(".tar.gz").unwrap_or(name));
    match known {
        Some(known) if seal.digest != known => {
            Some(format!("its content has the SHA-256 {}, but {known} was stored", seal.digest))
        }
        _ if seal.tag.is_some_and(|made_for| made_for != tag) => Some("it was made for another tag".to_owned()),
        _ => None,
    }
}
