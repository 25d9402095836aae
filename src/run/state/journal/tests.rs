//! A journal is opened, torn, tidied and read again.

use proptest::prelude::*;

use super::*;
use crate::cache::codec::frame;

fn room() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    (dir, path)
}

fn content(journal: &Journal) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut content: Vec<_> = journal.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    content.sort();
    content
}

#[test]
fn a_torn_end_is_cut_off_and_writing_goes_on() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    journal.set(b"one".to_vec(), b"1").unwrap();
    let whole = fs::read(&path).unwrap().len();
    journal.set(b"two".to_vec(), b"2").unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();

    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(journal.dropped(), bytes.len() - 1 - whole);
    assert_eq!((journal.get(b"one"), journal.get(b"two")), (Some(&b"1"[..]), None));
    journal.set(b"three".to_vec(), b"3").unwrap();
    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.get(b"three"), journal.dropped()), (Some(&b"3"[..]), 0));
}

#[test]
fn a_file_of_something_else_is_begun_anew_and_one_of_the_future_is_refused() {
    let (_dir, path) = room();
    fs::write(&path, "gibberish").unwrap();
    assert_eq!(Journal::open(&path).unwrap().dropped(), 9);
    assert_eq!(fs::read(&path).unwrap(), HEADER);
    fs::write(&path, "cortado state 2\nwho knows").unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("state` has format 2; this cortado reads format 1"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"cortado state 2\nwho knows");
}

#[test]
fn what_is_tidied_is_smaller_and_keeps_its_order() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    let key = |number: u32| format!("key {number}").into_bytes();
    for round in 0..3u8 {
        (0..1000).for_each(|number| journal.set(key(number), &[round; 100]).unwrap());
    }
    let (before, untidy) = (content(&journal), fs::metadata(&path).unwrap().len());
    journal.tidy().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < untidy / 2);
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(content(&journal), before);
    let mut frames: Vec<_> =
        journal.index.places.iter().map(|place| (place.frame, place.key(&journal.bytes))).collect();
    frames.sort_unstable();
    assert!(frames.iter().zip(0..).all(|((_, found), number)| *found == key(number)));
    let tidy = fs::metadata(&path).unwrap().len();
    journal.set(key(1), b"new").unwrap();
    journal.tidy().unwrap();
    assert!(fs::metadata(&path).unwrap().len() > tidy, "a little history is not worth a new file");
}

#[test]
fn what_is_not_wanted_is_gone_from_the_file_too() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    for round in 0..3u8 {
        (0..10u8).for_each(|key| journal.set(vec![key], &[round]).unwrap());
    }
    journal.retain(|key| key == [3]).unwrap();
    assert_eq!((journal.len(), content(&journal)), (1, vec![(vec![3], vec![2])]));
    journal.set(vec![4], b"new").unwrap();
    let opened = Journal::open(&path).unwrap();
    assert_eq!((content(&opened), opened.dropped()), (content(&journal), 0));
    assert_eq!(opened.live + HEADER.len(), fs::metadata(&path).unwrap().len() as usize);
}

#[test]
fn history_is_left_out_when_it_outgrows_the_rest() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    journal.set(b"kept".to_vec(), b"value").unwrap();
    for round in 0..5u8 {
        journal.set(b"large".to_vec(), &vec![round; HISTORY / 2]).unwrap();
    }
    journal.remove(b"large").unwrap();
    journal.set(b"after".to_vec(), b"value").unwrap();
    assert!(fs::metadata(&path).unwrap().len() < (2 * HISTORY) as u64);
    assert_eq!(content(&Journal::open(&path).unwrap()), content(&journal));
    assert_eq!(content(&journal).len(), 2);
}

#[test]
fn keys_of_every_length_are_found_again() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    for length in [0, 1, 127, 128, 16_383, 16_384] {
        journal.set(vec![b'k'; length], format!("{length}").as_bytes()).unwrap();
    }
    let opened = Journal::open(&path).unwrap();
    assert_eq!((content(&opened).len(), opened.dropped()), (6, 0));
    assert_eq!(content(&opened), content(&journal));
    assert_eq!(opened.get(&[b'k'; 128]), Some(&b"128"[..]));
}

#[test]
fn a_file_that_is_not_whole_is_left_alone() {
    let (_dir, path) = room();
    assert!(Journal::whole(&path).unwrap().is_none());
    assert!(!path.exists());
    let mut journal = Journal::open(&path).unwrap();
    journal.set(b"one".to_vec(), b"1").unwrap();
    let mut journal = Journal::whole(&path).unwrap().unwrap();
    journal.set(b"two".to_vec(), b"2").unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(content(&Journal::open(&path).unwrap()).len(), 2);
    let torn = &bytes[..bytes.len() - 1];
    fs::write(&path, torn).unwrap();
    assert!(Journal::whole(&path).unwrap().is_none());
    assert_eq!(fs::read(&path).unwrap(), torn);
}

#[test]
fn saying_the_same_again_writes_nothing() {
    let (_dir, path) = room();
    let mut journal = Journal::open(&path).unwrap();
    journal.set(b"key".to_vec(), b"value").unwrap();
    let length = fs::metadata(&path).unwrap().len();
    journal.set(b"key".to_vec(), b"value").unwrap();
    journal.remove(b"unknown").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_it_is_cut_the_first_changes_are_known(
        changes in prop::collection::vec((0..4u8, prop::collection::vec(any::<u8>(), 0..9)), 0..20),
        cut: prop::sample::Index,
    ) {
        let (_dir, path) = room();
        let mut journal = Journal::open(&path).unwrap();
        let mut known = vec![(fs::metadata(&path).unwrap().len(), content(&journal))];
        for (key, value) in changes {
            match value.is_empty() {
                true => journal.remove(&[key]).unwrap(),
                false => journal.set(vec![key], &value).unwrap(),
            }
            known.push((fs::metadata(&path).unwrap().len(), content(&journal)));
        }
        let bytes = fs::read(&path).unwrap();
        let cut = cut.index(bytes.len() + 1).max(HEADER.len());
        fs::write(&path, &bytes[..cut]).unwrap();
        let expected = known.iter().rfind(|(length, _)| *length <= cut as u64).unwrap();
        prop_assert_eq!(&content(&Journal::open(&path).unwrap()), &expected.1);
    }

    #[test]
    fn any_bytes_are_opened_without_harm(bytes: Vec<u8>, framed: Vec<u8>) {
        let (_dir, path) = room();
        fs::write(&path, [HEADER, &frame(&framed).unwrap(), &bytes].concat()).unwrap();
        let journal = Journal::open(&path).unwrap();
        prop_assert!(journal.dropped() <= bytes.len() + framed.len() + FRAME_HEADER);
        fs::write(&path, &bytes).unwrap();
        Journal::open(&path).unwrap();
    }
}
