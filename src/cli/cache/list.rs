//! `cortado cache list`: the artifacts of a store.

use std::cmp::Reverse;
use std::time::SystemTime;

use super::Chosen;
use crate::cli::args::{Common, List, Order};
use crate::cli::terminal::Terminal;
use crate::{Exit, Listed, ObjectList, Result};

pub(super) fn run(common: &Common, args: &List, terminal: &Terminal) -> Result<Exit> {
    let chosen = Chosen::open(common, &args.store, terminal)?;
    let mut objects = Vec::new();
    for object in chosen.store.list()? {
        let object = object?;
        if is_wanted(&object, args) {
            objects.push(object);
        }
    }
    sort(&mut objects, args.sort);
    let list = ObjectList::new(&chosen.name, objects);
    if terminal.json() {
        terminal.report_json(&list)?;
    } else {
        terminal.report(&list.text(SystemTime::now(), terminal.paint()))?;
    }
    Ok(Exit::Success)
}

fn is_wanted(object: &Listed, args: &List) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    is(&args.task, &object.provenance.task) && is(&args.project, &object.provenance.project)
}

fn sort(objects: &mut [Listed], order: Order) {
    objects.sort_by(|one, other| one.name.cmp(&other.name));
    match order {
        Order::Use => objects.sort_by_key(|object| Reverse(object.used.or(object.stored))),
        Order::Size => objects.sort_by_key(|object| Reverse(object.size)),
        Order::Name => {}
    }
}
