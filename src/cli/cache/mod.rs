//! `cortado cache`: looks after the artifacts that are kept.

mod key;
mod list;
mod mend;
mod pin;
mod prune;
mod remove;
mod show;
mod stats;

use std::sync::Arc;

use super::args::{Cache, CacheArgs, CacheVerb, Common, KeyVerb, StoreArg};
use super::connect;
use super::recipe::Loaded;
use super::settings;
use super::terminal::Terminal;
use crate::stores::HttpStore;
#[cfg(feature = "objects")]
use crate::stores::ObjectStore;
use crate::{CacheSpec, DirectoryStore, Error, Exit, Listed, Result, Settings, Store, StoreSpec, TierSpec};

pub(super) fn run(common: &Common, args: &CacheArgs, terminal: &Terminal) -> Result<Exit> {
    match &args.verb {
        CacheVerb::Stats(args) => stats::run(common, args, terminal),
        CacheVerb::List(args) => list::run(common, args, terminal),
        CacheVerb::Show(args) => show::run(common, args, terminal),
        CacheVerb::Rm(args) => remove::run(common, args, terminal),
        CacheVerb::Prune(args) => prune::run(common, args, terminal),
        CacheVerb::Pin(args) => pin::pin(common, args, terminal),
        CacheVerb::Unpin(args) => pin::unpin(common, args, terminal),
        CacheVerb::Verify(args) => mend::verify(common, args, terminal),
        CacheVerb::Repair(args) => mend::repair(common, args, terminal),
        CacheVerb::Key(KeyVerb::New { file }) => key::new(file, terminal),
    }
}

/// The configuration where the command runs: in a project, if there is a recipe, or anywhere.
pub(super) struct Here {
    pub(super) settings: Settings,
    pub(super) spec: CacheSpec,
}

impl Here {
    pub(super) fn look(common: &Common, terminal: &Terminal) -> Result<Self> {
        let loaded = match common.file.exists() {
            true => Some(Loaded::new(common, terminal)?),
            false => None,
        };
        let settings = settings::gather(common, &Cache::default(), loaded.as_ref().map(Loaded::recipe))?;
        let spec = settings.cache(loaded.as_ref().map_or("", |loaded| loaded.project().name()))?;
        Ok(Self { settings, spec })
    }

    /// The stores that a command is about: the one that was named, or all that the project uses.
    pub(super) fn all(&self, arg: &StoreArg) -> Result<Vec<TierSpec>> {
        match &arg.store {
            Some(name) => Ok(vec![self.settings.tier(name)?]),
            None => Ok(self.spec.tiers.clone()),
        }
    }
}

/// The store that a command is about.
struct Chosen {
    name: String,
    store: Arc<dyn Store>,
    /// The same, where it is a directory.
    directory: Option<DirectoryStore>,
    describe: Describe,
}

/// Asks a store about one object, also where that is a request of its own.
type Describe = Box<dyn Fn(&str) -> anyhow::Result<Option<Listed>>>;

impl Chosen {
    /// The store that was named, or the nearest of the project.
    fn open(common: &Common, arg: &StoreArg, terminal: &Terminal) -> Result<Self> {
        let tiers = Here::look(common, terminal)?.all(arg)?;
        let tier = tiers.first().ok_or_else(|| Error::Invalid {
            place: "`cache.tiers`".into(),
            problem: "no store is used".into(),
            hint: "name one with `--store`".into(),
        })?;
        Self::of(tier)
    }

    fn of(tier: &TierSpec) -> Result<Self> {
        let spec = connect::store(tier)?;
        let directory = match &spec {
            StoreSpec::Directory(directory) => Some(directory.open()?),
            _ => None,
        };
        let (store, describe) = match &directory {
            Some(directory) => asked(directory.clone(), DirectoryStore::info),
            None => far(&spec)?,
        };
        Ok(Self { name: tier.name().to_owned(), store, directory, describe })
    }

    /// What is known about an object; `None` where there is none, or nothing is known of it.
    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        (self.describe)(name)
    }

    /// The directory, for what only a directory can do: `pinned`, say.
    fn directory(&self, done: &str) -> Result<&DirectoryStore> {
        self.directory.as_ref().ok_or_else(|| Error::Invalid {
            place: format!("store `{}`", self.name),
            problem: format!("{} is no directory, and only directories can be {done}", self.store.place()),
            hint: "name a directory with `--store`".into(),
        })
    }
}

/// A store, and how it is asked about one object.
fn asked<S: Store + 'static>(
    store: S,
    describe: fn(&S, &str) -> anyhow::Result<Option<Listed>>,
) -> (Arc<dyn Store>, Describe) {
    let store = Arc::new(store);
    let same = store.clone();
    (store, Box::new(move |name| describe(&same, name)))
}

fn far(spec: &StoreSpec) -> Result<(Arc<dyn Store>, Describe)> {
    Ok(match spec {
        StoreSpec::Directory(directory) => asked(directory.open()?, DirectoryStore::info),
        StoreSpec::Http(server) => asked(server.open()?, HttpStore::describe),
        #[cfg(feature = "s3")]
        StoreSpec::S3(service) => asked(service.open()?, ObjectStore::describe),
        #[cfg(feature = "gcs")]
        StoreSpec::Gcs(service) => asked(service.open()?, ObjectStore::describe),
        #[cfg(feature = "azblob")]
        StoreSpec::Azblob(service) => asked(service.open()?, ObjectStore::describe),
        #[cfg(feature = "redis")]
        StoreSpec::Redis(service) => asked(service.open()?, Store::describe),
        #[cfg(feature = "memcached")]
        StoreSpec::Memcached(service) => asked(service.open()?, ObjectStore::describe),
        #[cfg(feature = "webdav")]
        StoreSpec::Webdav(service) => asked(service.open()?, ObjectStore::describe),
    })
}

/// The name of the object that an artifact is.
fn object(tag: &str) -> String {
    if tag.ends_with(".tar.gz") { tag.to_owned() } else { format!("{tag}.tar.gz") }
}

/// There is no such artifact.
fn absent(tag: &str, store: &str) -> Error {
    Error::Invalid {
        place: format!("store `{store}`"),
        problem: format!("there is no artifact `{}`", tag.trim_end_matches(".tar.gz")),
        hint: "`cortado cache list` shows what there is".into(),
    }
}
