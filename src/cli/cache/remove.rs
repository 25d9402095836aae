//! `cortado cache rm`: removes artifacts, by name or by what is known of them.

use super::{Chosen, absent, object};
use crate::cli::args::{Common, Remove};
use crate::cli::terminal::Terminal;
use crate::{Error, Exit, Listed, Removal, Result};

pub(super) fn run(common: &Common, args: &Remove, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let objects = match (args.tags.is_empty(), filters(args)) {
        (false, false) => named(&chosen, &args.tags)?,
        (true, true) => matching(&chosen, args)?,
        (true, false) => return Err(unclear("it does not say which artifacts")),
        (false, true) => return Err(unclear("it names artifacts, and says which ones besides")),
    };
    let mut removed = Vec::new();
    for (name, size) in objects {
        if args.dry_run || chosen.store.remove(&name)? {
            removed.push((name, size));
        }
    }
    let removal = Removal::new(&chosen.name, args.dry_run, removed);
    super::prune::tell(&removal, common, terminal)
}

fn filters(args: &Remove) -> bool {
    args.written_by.is_some() || args.from_host.is_some() || args.since.is_some() || args.until.is_some()
}

fn unclear(problem: &str) -> Error {
    Error::Invalid {
        place: "cortado cache rm".into(),
        problem: problem.into(),
        hint: "name tags, or say `--written-by`, `--from-host`, `--since` or `--until`".into(),
    }
}

/// The artifacts of these tags. None is removed unless all are there.
fn named(chosen: &Chosen, tags: &[String]) -> Result<Vec<(String, u64)>> {
    let found = |tag: &String| {
        let name = object(tag);
        match chosen.store.has(&name)? {
            true => {
                let size = size(chosen, &name)?;
                Ok((name, size))
            }
            false => Err(absent(&name, &chosen.name)),
        }
    };
    tags.iter().map(found).collect()
}

/// How large an object is. A store that says nothing of one object may say it in its list.
fn size(chosen: &Chosen, name: &str) -> Result<u64> {
    if let Some(known) = chosen.describe(name)? {
        return Ok(known.size);
    }
    let Ok(mut objects) = chosen.store.list() else { return Ok(0) };
    Ok(objects.find_map(|object| object.ok().filter(|object| object.name == name)).map_or(0, |object| object.size))
}

fn matching(chosen: &Chosen, args: &Remove) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for object in chosen.store.list()? {
        let object = known(chosen, object?)?;
        if is_meant(&object, args) {
            found.push((object.name, object.size));
        }
    }
    Ok(found)
}

/// An object with what is known of it: some stores list names alone.
fn known(chosen: &Chosen, object: Listed) -> Result<Listed> {
    if object.provenance.writer.is_some() || object.provenance.host.is_some() {
        return Ok(object);
    }
    let stored = object.stored;
    let mut known = chosen.describe(&object.name)?.unwrap_or(object);
    known.stored = known.stored.or(stored);
    Ok(known)
}

/// Whether all that was said holds of an object. What is not known of it does not hold.
fn is_meant(object: &Listed, args: &Remove) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let since = args.since.is_none_or(|since| object.stored.is_some_and(|stored| stored >= since));
    let until = args.until.is_none_or(|until| object.stored.is_some_and(|stored| stored < until));
    let from = &object.provenance;
    is(&args.written_by, &from.writer) && is(&args.from_host, &from.host) && since && until
}
