//! Stores: ours keep the promises of the trait, an example in memory does, and the suite notices who does not.

#[cfg(feature = "http")]
mod faults;
#[cfg(feature = "stores")]
mod services;
#[cfg(feature = "http")]
mod web;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Mutex;

use cortado::conformance::Lack;
use cortado::{DirectoryStore, Listed, Objects, Put, Store, Stored, conformance};

/// The shortest store there is, with whatever fault a story gives it.
#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    fault: Fault,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Fault {
    #[default]
    None,
    LastWins,
    KeepsHalves,
    NeverReplaces,
    ListsNothing,
    CutsShort,
    RemovesInName,
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let content = self.objects.lock().unwrap().get(name).cloned();
        let cut = if self.fault == Fault::CutsShort { 1000 } else { u64::MAX };
        Ok(content.map(|content| Box::new(Cursor::new(content).take(cut)) as Box<dyn Read + Send>))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        let mut bytes = Vec::new();
        let read = content.read_to_end(&mut bytes);
        if self.fault != Fault::KeepsHalves {
            read?;
        }
        let replace = (options.replace && self.fault != Fault::NeverReplaces) || self.fault == Fault::LastWins;
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(name) && !replace {
            return Ok(Stored::Present);
        }
        objects.insert(name.to_owned(), bytes);
        Ok(Stored::New)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.objects.lock().unwrap().contains_key(name))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        match self.fault {
            Fault::RemovesInName => self.has(name),
            _ => Ok(self.objects.lock().unwrap().remove(name).is_some()),
        }
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let objects = self.objects.lock().unwrap();
        let list = objects.iter().filter(|_| self.fault != Fault::ListsNothing);
        let list: Vec<_> = list.map(|(name, content)| Ok(Listed::new(name, content.len() as u64, None))).collect();
        Ok(Box::new(list.into_iter()))
    }
}

#[test]
fn the_directory_store_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(dir.path()).unwrap();
    conformance::check(&store).unwrap();
    assert!(store.list().unwrap().next().is_none(), "the checks clean up");
}

#[test]
fn a_store_in_memory_conforms() {
    let store = Memory::default();
    conformance::check(&store).unwrap();
    assert!(store.list().unwrap().next().is_none(), "the checks clean up");
}

#[test]
fn whoever_breaks_a_rule_is_told_which() {
    let faults = [
        (Fault::LastWins, "the first object of a name stays"),
        (Fault::KeepsHalves, "a put that fails leaves everything as it was"),
        (Fault::NeverReplaces, "an object is replaced when that is asked for"),
        (Fault::ListsNothing, "every object is listed once, with its size"),
        (Fault::CutsShort, "what is put is got back byte by byte"),
        (Fault::RemovesInName, "a removed object is gone and can be put anew"),
    ];
    for (fault, rule) in faults {
        let broken = Memory { fault, ..Memory::default() };
        let error = conformance::check(&broken).unwrap_err().to_string();
        assert_eq!(error, format!("memory breaks the rule that {rule}"));
    }
}

#[test]
fn what_a_store_is_said_to_lack_it_has_to_lack() {
    let whole = Memory::default();
    let error = conformance::check_without(&whole, &[Lack::Listing]).unwrap_err();
    assert!(format!("{error:#}").ends_with("it lists objects, though it is said not to"), "{error:#}");
    let error = conformance::check_without(&whole, &[Lack::Size(500_000)]).unwrap_err();
    assert!(format!("{error:#}").ends_with("`put` above the limit said `New`"), "{error:#}");
}

#[test]
fn many_processes_may_open_a_new_store_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..16).map(|_| scope.spawn(|| DirectoryStore::open(dir.path()))).collect();
        openers.into_iter().for_each(|opener| drop(opener.join().unwrap().unwrap()));
    });
}
