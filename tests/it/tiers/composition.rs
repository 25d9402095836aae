//! Stores made of stores.

use cortado::{DirectoryStore, Namespace, Object, Put, ReadOnly, Store, Stored, conformance};

use super::{Manner, Spy, near, run_afresh};
use crate::support::Shop;

#[test]
fn the_spy_and_stores_made_of_it_conform() {
    let spy = Spy::new();
    conformance::check(&spy).unwrap();
    let ours = Namespace::new("ours", spy.clone()).unwrap();
    conformance::check(&ours).unwrap();
    conformance::check(&Namespace::new("nested", ours).unwrap()).unwrap();
    assert!(spy.contents().is_empty());
    let dir = tempfile::tempdir().unwrap();
    conformance::check(&Namespace::new("ours", DirectoryStore::open(dir.path()).unwrap()).unwrap()).unwrap();
}

#[test]
fn namespaces_do_not_meet() {
    let spy = Spy::new();
    let [ours, theirs] = ["ours", "theirs"].map(|name| Namespace::new(name, spy.clone()).unwrap());
    ours.put("a", &mut &b"x"[..], &Put::default()).unwrap();
    assert!(!theirs.has("a").unwrap() && theirs.get("a").unwrap().is_none() && !theirs.remove("a").unwrap());
    assert_eq!((theirs.list().unwrap().count(), ours.list().unwrap().count()), (0, 1));
    assert_eq!(ours.describe("a").unwrap().unwrap().name, "a");
    assert_eq!(ours.place(), "ours of spy");
    for name in ["", "a/b", "~", "a~b", ".a", "-a", "ä", &"x".repeat(65)] {
        assert!(Namespace::new(name, spy.clone()).is_err(), "{name}");
    }
}

#[test]
fn what_is_only_read_is_never_written() {
    let spy = Spy::new();
    spy.put("a", &mut &b"x"[..], &Put::default()).unwrap();
    spy.forget();
    let read_only = ReadOnly::new(spy.clone());
    let put = read_only.put("b", &mut &b"y"[..], &Put::default()).unwrap();
    assert_eq!(put, Stored::Declined("it is only read".into()));
    assert_eq!(read_only.remove("a").unwrap_err().to_string(), "could not remove `a`: spy is only read");
    assert!(read_only.has("a").unwrap() && read_only.get("a").unwrap().is_some());
    assert_eq!((read_only.list().unwrap().count(), spy.asked("put"), spy.asked("remove")), (1, 0, 0));
}

#[test]
fn what_lies_in_a_file_is_a_file_for_stores_made_of_stores() {
    let dir = tempfile::tempdir().unwrap();
    let ours = Namespace::new("ours", DirectoryStore::open(dir.path()).unwrap()).unwrap();
    ours.put("a", &mut &b"x"[..], &Put::default()).unwrap();
    let store = ReadOnly::new(ours);
    assert!(matches!(store.object("a").unwrap(), Some(Object::File(_))) && store.object("b").unwrap().is_none());
}

#[test]
fn a_tier_that_declines_has_not_failed() {
    let shop = Shop::new();
    let spy = Spy::new();
    spy.behaves(Manner::Declines);
    let seen = run_afresh(&shop, &shop.project([shop.ware("a", "x")]), [near("local", &spy)]);
    assert_eq!(seen.warnings(), ["`local` did not take the artifact: too large for a spy"]);
    assert_eq!((seen.cache(), super::counts(&seen, "local").declined), ([0, 1, 0, 0, 0], 1));
}
