//! Stories of processes that die or stop between any two steps: the next one works, and nothing is wrong for good.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::SystemTime;

use super::fault::{self, Teller};
use super::room::{KIB, names, put, store, taken};
use crate::cache::directory::writer::LEASE;
use crate::cache::put::Put;
use crate::cache::store::Store;
use crate::cache::stored::Stored;

/// What a child does that will be killed: it stores, uses, replaces, removes and evicts.
#[test]
fn a_life() {
    let Some(room) = fault::room() else { return };
    let store = store(&room.join("store"), 50 * KIB);
    put(&store, "streamed", 10);
    store.put_file("linked", &room.join("file"), &Put::default()).unwrap();
    drop(store.get("streamed").unwrap().unwrap());
    store.put("streamed", &mut &[7; 9 * 1024][..], &Put::replacing(true)).unwrap();
    store.remove("linked").unwrap();
    for number in 0..6 {
        put(&store, &format!("object-{number}"), 10);
    }
    put(&store, "object-5", 10);
    drop(store);
}

/// Whether all that the store holds is whole, and it holds no more than it may.
fn is_sound(dir: &Path) {
    let store = store(dir, 50 * KIB);
    for listed in store.list().unwrap() {
        let name = listed.unwrap().name;
        let mut content = Vec::new();
        store.get(&name).unwrap().unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content.len(), if name == "linked" { 4 } else { 9 * 1024 }, "{name} is torn");
    }
    assert!(taken(&dir.join("objects")) <= 50 * KIB);
}

/// Lets a process die at one place, and another go on; `false` when there are not so many places.
fn dies_at(place: usize) -> bool {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("store");
    fs::write(room.path().join("file"), "file").unwrap();
    let end = Teller::begin("crash::a_life", room.path(), &format!("kill {place}")).end();
    if end.success() {
        return false;
    }
    assert_eq!(end.signal(), Some(9), "at place {place}");
    is_sound(&dir);
    {
        // The next process has all of the room, at once.
        let next = store(&dir, 50 * KIB);
        assert_eq!(put(&next, "next", 50), Stored::New, "after a death at place {place}");
        assert_eq!(names(&next), ["next"]);
    }
    let left = store(&dir, 50 * KIB).repair(true).unwrap();
    assert!(left.iter().all(|finding| finding.problem.contains("draft")), "{place}: {left:?}");
    true
}

#[test]
fn a_process_killed_between_any_two_steps_costs_nothing() {
    const SIDE_BY_SIDE: usize = 4;
    let deaths = |first: usize| (first..).step_by(SIDE_BY_SIDE).take_while(|place| dies_at(*place)).count();
    let deaths: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|first| scope.spawn(move || deaths(first))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(deaths > 80, "there are more places than {deaths}");
}

#[test]
fn repair_mends_what_a_killed_process_left_and_then_has_nothing_to_do() {
    for place in [
        "put: draft made",
        "put: placed",
        "settle: journal written",
        "replace: written",
        "bury: renamed",
        "count: index written",
    ] {
        let room = tempfile::tempdir().unwrap();
        let dir = room.path().join("store");
        fs::write(room.path().join("file"), "file").unwrap();
        Teller::begin("crash::a_life", room.path(), "kill put: placed").end();
        Teller::begin("crash::a_life", room.path(), &format!("kill {place}")).end();
        let store = store(&dir, 50 * KIB);
        let (said, before) = (store.repair(true).unwrap(), taken(&dir));
        assert!(!said.is_empty(), "{place}");
        assert_eq!(taken(&dir), before, "a dry run changes nothing");
        assert_eq!(store.repair(false).unwrap(), said, "{place}");
        assert_eq!(store.repair(true).unwrap(), [], "{place}");
        assert_eq!(store.repair(false).unwrap(), [], "{place}");
    }
}

/// A child that will be stopped with the lock in its hands.
#[test]
fn a_short_life() {
    let Some(room) = fault::room() else { return };
    put(&store(&room, 50 * KIB), "stopped", 10);
}

#[test]
fn a_stopped_holder_of_the_lock_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    {
        put(&store(dir.path(), 50 * KIB), "old", 10);
    }
    let stopped = Teller::begin("crash::a_short_life", dir.path(), "stop books: locked").stopped();
    let store = store(dir.path(), 0);
    assert!(store.get("old").unwrap().is_some() && store.get("absent").unwrap().is_none(), "readers do not wait");
    let Stored::Declined(why) = put(&store, "new", 10) else { panic!("who granted that?") };
    assert!(why.contains(&format!("is in use by a cortado (process {} on ", stopped.id())), "{why}");
    let again = || {
        let begun = std::time::Instant::now();
        assert!(matches!(put(&store, "new", 10), Stored::Declined(_)));
        begun.elapsed() < std::time::Duration::from_millis(20)
    };
    // One of many, since the machine may be busy with something else just then.
    assert!((0..20).any(|_| again()), "it does not wait in vain twice");
    drop(stopped);
    assert_eq!(put(&super::room::store(dir.path(), 0), "new", 10), Stored::New, "a dead one holds nothing");
}

/// What a child does that is stopped while it counts: it needs room for which others have to go.
#[test]
fn a_put_into_a_full_store() {
    let Some(room) = fault::room() else { return };
    assert_eq!(put(&store(&room, 600 * KIB), "large", 50), Stored::New);
}

#[test]
fn what_is_stored_while_another_counts_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 600 * KIB);
    (0..57).for_each(|number| assert_eq!(put(&store, &format!("object-{number}"), 10), Stored::New));
    let counting = Teller::begin("crash::a_put_into_a_full_store", dir.path(), "stop count: logs read").stopped();
    assert_eq!(put(&store, "small", 2), Stored::New, "what was granted is enough for that");
    assert!(counting.goes_on().success());
    drop(store);
    let store = super::room::store(dir.path(), 0);
    assert!(names(&store).contains(&"small".to_owned()) && names(&store).contains(&"large".to_owned()));
    assert_eq!(store.repair(true).unwrap(), []);
}

#[test]
fn the_room_of_a_killed_writer_comes_back_at_once() {
    let dir = tempfile::tempdir().unwrap();
    Teller::begin("crash::a_short_life", dir.path(), "kill put: draft made").end();
    assert_eq!(fs::read_dir(dir.path().join("writers")).unwrap().count(), 1);
    let store = store(dir.path(), 50 * KIB);
    assert_eq!(put(&store, "all", 50), Stored::New);
    assert_eq!(fs::read_dir(dir.path().join("writers")).unwrap().count(), 1, "its draft went with it");
}

#[test]
fn the_room_of_a_stopped_writer_comes_back_after_its_lease_and_it_stores_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let stopped = Teller::begin("crash::a_short_life", dir.path(), "stop put: recorded").stopped();
    let store = store(dir.path(), 50 * KIB);
    assert!(matches!(put(&store, "all", 50), Stored::Declined(_)), "it may still need it");
    let log = fs::read_dir(dir.path().join("writers")).unwrap().map(|entry| entry.unwrap().path().join("log"));
    let log = log.into_iter().find(|log| fs::read_to_string(log).unwrap().contains("stopped")).unwrap();
    fs::File::options().write(true).open(log).unwrap().set_modified(SystemTime::now() - 2 * LEASE).unwrap();
    assert_eq!(put(&store, "all", 50), Stored::New);
    assert!(!stopped.goes_on().success(), "what it wanted to store is gone");
    assert_eq!(names(&store), ["all"]);
    assert!(taken(&dir.path().join("objects")) <= 50 * KIB);
}
