//! The catalog: which packages there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::NAMESPACE;
use super::package::Package;
use crate::Store;
use crate::server::name::Name;
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::server::survey::{Lately, Seen};

/// Packages that are known, though nobody has looked for them yet. Beyond that they are known when somebody has.
const RECENT: usize = 10_000;

/// What is known of packages: what was lately seen in the store, and what has come since.
#[derive(Debug, Default)]
pub(in crate::server) struct Catalog {
    seen: Lately<Shelf>,
    recent: Mutex<HashMap<String, (Package, Instant)>>,
}

/// The packages of a store, by name.
#[derive(Debug, Default)]
pub(super) struct Shelf(BTreeMap<String, Vec<Package>>);

impl Seen for Shelf {
    fn look(store: &dyn Store) -> anyhow::Result<Self> {
        let mut shelf = Self::default();
        for object in store.list()? {
            let file = Name::key_within(&object?.name, NAMESPACE);
            if let Some(package) = file.and_then(|file| Package::parse(&file)) {
                shelf.0.entry(package.name.clone()).or_default().push(package);
            }
        }
        Ok(shelf)
    }

    fn of(site: &Site) -> &Lately<Self> {
        &site.catalog.seen
    }
}

impl Catalog {
    /// A package was put there.
    pub(super) fn add(&self, package: Package) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() < RECENT {
            recent.insert(package.file.clone(), (package, Instant::now()));
        }
    }

    /// The files of a package. Some of them may have gone.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(super) async fn files(site: &Arc<Site>, name: &str) -> Result<Vec<Package>, Problem> {
        let seen = Lately::<Shelf>::seen(site).await?;
        let mut files = seen.seen.0.get(name).cloned().unwrap_or_default();
        for package in site.catalog.since(seen.begun) {
            if package.name == name && files.iter().all(|file| file.file != package.file) {
                files.push(package);
            }
        }
        Ok(files)
    }

    /// All packages by name, each with its files in the order of versions, the newest first.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(in crate::server) async fn all(site: &Arc<Site>) -> Result<BTreeMap<String, Vec<Package>>, Problem> {
        let seen = Lately::<Shelf>::seen(site).await?;
        let mut all = seen.seen.0.clone();
        for package in site.catalog.since(seen.begun) {
            let files = all.entry(package.name.clone()).or_default();
            if files.iter().all(|file| file.file != package.file) {
                files.push(package);
            }
        }
        for files in all.values_mut() {
            sort(files);
        }
        Ok(all)
    }

    /// What has come since somebody began to look. What came before is forgotten: it was seen.
    fn since(&self, begun: Instant) -> Vec<Package> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (_, at)| *at >= begun);
        recent.values().map(|(package, _)| package.clone()).collect()
    }
}

/// Puts the newest versions first, and of each version the file that is preferred.
pub(super) fn sort(files: &mut [Package]) {
    files.sort_by(|one, other| other.version.cmp(&one.version).then_with(|| one.preference().cmp(&other.preference())));
}
