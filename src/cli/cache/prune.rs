//! `cortado cache prune`: removes artifacts that were not used for long, or until the others fit.

use std::time::SystemTime;

use super::Chosen;
use crate::cli::args::{Common, Prune};
use crate::cli::terminal::Terminal;
use crate::{DirectoryStore, Exit, Listed, Removal, Result, Store};

pub(super) fn run(common: &Common, args: &Prune, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let removed = match &chosen.directory {
        Some(directory) => of_directory(directory, args)?,
        None => of_any(&*chosen.store, args)?,
    };
    tell(&Removal::new(&chosen.name, args.dry_run, removed), common, terminal)
}

/// Reports what went.
pub(super) fn tell(removal: &Removal, common: &Common, terminal: &Terminal) -> Result<Exit> {
    if terminal.json() {
        terminal.report_json(removal)?;
    } else if !common.quiet || removal.dry_run {
        terminal.report(&removal.text(common.verbose))?;
    }
    Ok(Exit::Success)
}

/// A directory knows what is needed least, and what is pinned.
fn of_directory(directory: &DirectoryStore, args: &Prune) -> Result<Vec<(String, u64)>> {
    let mut prune = crate::Prune::new().dry_run(args.dry_run);
    (prune.older_than, prune.to_size) = (args.older_than, args.to_size);
    let pruned = directory.prune(&prune)?;
    Ok(pruned.objects.into_iter().map(|object| (object.name, object.size)).collect())
}

/// Of any other store, what was not used, or at least not put there, for longest.
fn of_any(store: &dyn Store, args: &Prune) -> Result<Vec<(String, u64)>> {
    let mut removed = Vec::new();
    for object in to_go(store.list()?.collect::<Result<_, _>>()?, args, SystemTime::now()) {
        if args.dry_run || store.remove(&object.name)? {
            removed.push((object.name, object.size));
        }
    }
    Ok(removed)
}

/// What goes, the oldest first, and before them those whose age nobody knows: for their size alone, not for their age.
fn to_go(mut objects: Vec<Listed>, args: &Prune, now: SystemTime) -> Vec<Listed> {
    let time = |object: &Listed| object.used.or(object.stored);
    objects.sort_by_key(time);
    let mut left: u64 = objects.iter().map(|object| object.size).sum();
    let is_old = |object: &Listed| {
        let age = time(object).and_then(|time| now.duration_since(time).ok());
        args.older_than.zip(age).is_some_and(|(limit, age)| age >= limit)
    };
    let mut goes = |object: &Listed| {
        let goes = is_old(object) || args.to_size.is_some_and(|size| left > size);
        left -= if goes { object.size } else { 0 };
        goes
    };
    objects.into_iter().filter(|object| goes(object)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::args::StoreArg;

    fn gone(older_than: Option<u64>, to_size: Option<u64>) -> Vec<String> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let object =
            |name: &str, size, age: Option<u64>| Listed::new(name, size, age.map(|age| now - Duration::from_secs(age)));
        let objects = vec![object("new", 10, Some(1)), object("old", 20, Some(500)), object("unknown", 5, None)];
        let older_than = older_than.map(Duration::from_secs);
        let args = Prune { older_than, to_size, dry_run: false, store: StoreArg::default() };
        to_go(objects, &args, now).into_iter().map(|object| object.name).collect()
    }

    #[test]
    fn what_is_oldest_goes_until_the_rest_fits() {
        assert_eq!(gone(Some(100), None), ["old"]);
        assert_eq!(gone(None, Some(15)), ["unknown", "old"]);
        assert_eq!(gone(None, Some(30)), ["unknown"]);
        assert_eq!(gone(Some(100), Some(0)), ["unknown", "old", "new"]);
        assert!(gone(Some(600), Some(35)).is_empty());
    }
}
