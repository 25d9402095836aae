//! Stories of memory: what is known about an object is told at once, wherever it is written down by then.

use super::super::DirectoryStore;
use super::room::{KIB, store};
use crate::cache::provenance::Provenance;
use crate::cache::put::Put;
use crate::cache::store::Store;
use crate::cache::stored::Stored;

fn put(store: &DirectoryStore, name: &str, writer: &str, replace: bool) {
    let mut put = Put::replacing(replace);
    put.provenance = Provenance::new().writer(writer);
    assert_eq!(store.put(name, &mut &[7; 9 * 1024][..], &put).unwrap(), Stored::New);
}

fn writer(store: &DirectoryStore, name: &str) -> Option<String> {
    store.describe(name).unwrap()?.provenance.writer
}

#[test]
fn what_others_put_and_replace_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (store(dir.path(), 100 * KIB), store(dir.path(), 0));
    put(&ours, "a", "we", false);
    assert_eq!((writer(&theirs, "a").as_deref(), writer(&theirs, "b")), (Some("we"), None));
    drop(ours);
    let ours = store(dir.path(), 0);
    put(&ours, "b", "we", false);
    put(&ours, "a", "we again", true);
    drop(ours);
    // Both went to the journal when their writer was closed.
    assert_eq!(writer(&theirs, "b").as_deref(), Some("we"));
    assert_eq!(
        writer(&theirs, "a").as_deref(),
        Some("we again"),
        "what was true of the old file is not of the new one"
    );
    theirs.remove("a").unwrap();
    assert!(theirs.describe("a").unwrap().is_none());
}

#[test]
fn what_the_index_says_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (store, names) = (store(dir.path(), 30 * KIB), ["a", "aa", "aaa", "aaaa"]);
    names.iter().for_each(|name| put(&store, name, name, false));
    // Room was made for the last one, and the index written on that occasion.
    let kept: Vec<_> = names.into_iter().filter(|name| store.has(name).unwrap()).collect();
    assert!(kept.len() < names.len());
    for name in kept {
        assert_eq!(writer(&store, name).as_deref(), Some(name));
    }
}
