//! Stories of bad artifacts: each is read as the plain gzip that it is, or refused for a reason, whole and by any
//! number of threads alike.

use std::fs;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::*;
use super::artifact::snapshot;
use crate::host::listing::Listing;
use crate::host::pack::{PackOptions, pack};

/// Of the member that ends an artifact.
const LAST: usize = 66;

/// Paths with the content of those that are files.
type Tree = Vec<(PathBuf, Vec<u8>)>;

/// An artifact of several members, the tree that it holds, and where its members start.
struct Whole {
    tree: Tree,
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Whole {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        for number in 1..6u32 {
            let content: Vec<u8> = (0..90_000u32).flat_map(|word| (word * number % 9973).to_le_bytes()).collect();
            fs::write(root.path().join(format!("d/{number}")), content).unwrap();
        }
        let mut bytes = Vec::new();
        pack(
            &Layout::whole(root.path()),
            &Listing::of(root.path()).unwrap().entries,
            &mut bytes,
            &PackOptions::default(),
        )
        .unwrap();
        let mut starts = vec![0];
        while let Some(size) = bytes.get(starts[starts.len() - 1] + 16..).filter(|rest| rest.len() >= LAST) {
            let size = u32::from_le_bytes(size[..4].try_into().unwrap());
            starts.push(starts[starts.len() - 1] + 20 + size as usize + 8);
        }
        assert!(starts.len() > 4 && starts[starts.len() - 1] == bytes.len() - LAST);
        Self { tree: files(root.path()), bytes, starts }
    }

    fn member(&self, number: usize) -> &[u8] {
        &self.bytes[self.starts[number]..self.starts[number + 1]]
    }

    /// The artifact with something else in place of one member.
    fn with(&self, number: usize, member: &[u8]) -> Vec<u8> {
        let (from, to) = (self.starts[number], self.starts[number + 1]);
        [&self.bytes[..from], member, &self.bytes[to..]].concat()
    }

    /// Refused by any number of threads, for the same reason.
    fn refusal(&self, bytes: &[u8]) -> String {
        match outcome(bytes) {
            Err(reason) => reason,
            Ok(_) => panic!("{} bytes were taken for an artifact", bytes.len()),
        }
    }

    /// The whole tree, or a refusal.
    fn holds(&self, bytes: &[u8], what: &str) {
        if let Ok((tree, _)) = outcome(bytes) {
            assert!(tree == self.tree, "{what}");
        }
    }

    /// The whole tree; whether its digest was promised.
    fn reads(&self, bytes: &[u8]) -> bool {
        let (tree, promised) = outcome(bytes).unwrap();
        assert!(tree == self.tree);
        promised
    }
}

fn files(root: &Path) -> Tree {
    let entries = Listing::of(root).unwrap().entries;
    entries.into_iter().map(|entry| (entry.path.clone(), fs::read(root.join(entry.path)).unwrap_or_default())).collect()
}

/// What becomes of an artifact: its tree, and whether that was promised; or why it is refused.
fn outcome(bytes: &[u8]) -> Result<(Tree, bool), String> {
    let outcomes = [1, 2, 8].map(|threads| {
        let dest = tempfile::tempdir().unwrap();
        match unpack_artifact_with(bytes, "A", Layout::whole(dest.path()), Limits::default(), threads) {
            Ok(unpacked) => Ok((files(dest.path()), unpacked.promised)),
            Err(Error::Archive { problem, .. }) => Err(problem),
            Err(other) => panic!("not the archive's fault? {other}"),
        }
    });
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    let [outcome, ..] = outcomes;
    outcome
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(member: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(member).read_to_end(&mut plain).unwrap();
    plain
}

fn with_u32(member: &[u8], at: usize, value: u32) -> Vec<u8> {
    let mut member = member.to_vec();
    member[at..at + 4].copy_from_slice(&value.to_le_bytes());
    member
}

#[test]
fn a_whole_artifact_is_read_by_any_number_of_threads() {
    let whole = Whole::new();
    assert!(whole.reads(&whole.bytes));
}

#[test]
fn one_cut_at_any_kind_of_boundary_is_refused() {
    let whole = Whole::new();
    for start in [whole.starts[0], whole.starts[1], whole.starts[3]] {
        // Before a member, in its header, its extra field, its data.
        for end in [0, 1, 11, 12, 15, 19, 20, 5000] {
            whole.refusal(&whole.bytes[..start + end]);
        }
    }
    for missing in [1, 4, 8, 9] {
        // In a trailer, and just before it.
        assert_eq!(whole.refusal(&whole.bytes[..whole.starts[3] - missing]), "it ends in the middle of a member");
    }
    let last = whole.starts[whole.starts.len() - 1];
    for end in (1..LAST).step_by(8).chain([9, 11, 12, 20, 56, 57, 58, 65]) {
        whole.refusal(&whole.bytes[..last + end]);
    }
    assert!(!whole.reads(&whole.bytes[..last]), "an ordinary tar.gz, complete but without a promise");
}

#[test]
fn members_without_a_size_are_plain_gzip() {
    let whole = Whole::new();
    for number in [0, 3] {
        assert!(!whole.reads(&whole.with(number, &gzip(&gunzip(whole.member(number))))));
    }
    let plain: Vec<u8> = (0..whole.starts.len() - 1).flat_map(|number| gunzip(whole.member(number))).collect();
    assert!(!whole.reads(&gzip(&plain)), "a single member");
}

#[test]
fn lying_sizes_are_refused_or_do_no_harm() {
    let whole = Whole::new();
    for number in [0, 2] {
        let member = whole.member(number);
        let packed = (member.len() - 28) as u32;
        let next = whole.member(number + 1).len() as u32;
        for lie in
            [0, 1, packed - 1, packed + 1, packed + 8, packed + 28, packed + next, 4 << 20, (4 << 20) + 1, u32::MAX]
        {
            whole.holds(&whole.with(number, &with_u32(member, 16, lie)), &format!("{lie} instead of {packed}"));
        }
        for lie in [0, 1, 524_287, 524_289, 4 << 20, (4 << 20) + 1, u32::MAX] {
            whole.refusal(&whole.with(number, &with_u32(member, member.len() - 4, lie)));
        }
        whole.refusal(&whole.with(number, &with_u32(member, member.len() - 8, 0)));
    }
}

#[test]
fn members_that_come_twice_or_not_or_elsewhere_are_refused() {
    let whole = Whole::new();
    let (second, third) = (whole.member(1), whole.member(2));
    whole.refusal(&whole.with(1, b""));
    whole.refusal(&whole.with(1, &[second, second].concat()));
    let swapped = [whole.member(0), third, second, &whole.bytes[whole.starts[3]..]].concat();
    whole.refusal(&swapped);
}

#[test]
fn empty_members_and_fields_of_others_are_passed_over() {
    let whole = Whole::new();
    let member = whole.member(2);
    let nothing = [&member[..16], &[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert!(whole.reads(&whole.with(2, &[&nothing, &nothing, member].concat())));
    let with_field = |field: &[u8]| {
        let extra = [field, &member[12..20]].concat();
        [&member[..10], &(extra.len() as u16).to_le_bytes(), &extra, &member[20..]].concat()
    };
    for field in
        [b"BC\x02\0ab".as_slice(), b"AP\0\0", b"MY\x04\0\x01\0\0\0", &[b"ZZ\xe8\x03".as_slice(), &[7; 1000]].concat()]
    {
        assert!(whole.reads(&whole.with(2, &with_field(field))));
    }
    // What cannot be taken apart is no block, and plain gzip does not look into it.
    assert!(!whole.reads(&whole.with(2, &with_field(b"ZZ\xff\xff"))));
    assert!(!whole.reads(&whole.with(2, &with_field(b"MZ\x03\0abc"))));
}

#[test]
fn a_wrong_digest_and_whatever_follows_are_refused() {
    let whole = Whole::new();
    let mut wrong = whole.bytes.clone();
    wrong[whole.bytes.len() - 20] ^= 1;
    assert!(whole.refusal(&wrong).starts_with("its content has the SHA-256 "));
    for tail in [&b"x"[..], &[0; 600], &gzip(b""), &whole.bytes] {
        assert_eq!(whole.refusal(&[&whole.bytes, tail].concat()), "data follows its last member");
    }
    let tail = [gzip(&[0; 512]), gzip(b"more")].concat();
    let unpromised = &whole.bytes[..whole.bytes.len() - LAST];
    assert_eq!(whole.refusal(&[unpromised, &tail].concat()), "data follows its end");
    whole.refusal(&[unpromised, b"garbage".as_slice()].concat());
}

#[test]
fn what_holds_no_tar_is_refused() {
    let whole = Whole::new();
    assert_eq!(whole.refusal(b""), "it is empty");
    let promise_alone = whole.refusal(&whole.bytes[whole.bytes.len() - LAST..]);
    assert!(promise_alone.starts_with("its content has the SHA-256 e3b0c442"), "{promise_alone}");
    assert_eq!(whole.refusal(&gzip(b"")), "it is truncated");
    assert_eq!(whole.refusal(&gzip(&[0; 511])), "it is truncated");
    assert!(outcome(&gzip(&[0; 1024])).unwrap().0.is_empty(), "an empty tree");
}

#[test]
fn a_damaged_artifact_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("f"), "content").unwrap();
    let mut bytes = Vec::new();
    pack(&Layout::whole(root.path()), &Listing::of(root.path()).unwrap().entries, &mut bytes, &PackOptions::default())
        .unwrap();
    for at in (0..4).chain(20..bytes.len() - 66) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let copy = tempfile::tempdir().unwrap();
        match unpack_artifact(&*damaged, "A", Layout::whole(copy.path()), Limits::default()) {
            // The bits after the end of the deflate data mean nothing.
            Ok(_) => assert_eq!(snapshot(copy.path()), snapshot(root.path()), "byte {at}"),
            Err(error) => assert!(matches!(error, Error::Archive { .. }), "byte {at}: {error}"),
        }
    }
    let hidden = [bytes.as_slice(), b"tail"].concat();
    let copy = tempfile::tempdir().unwrap();
    let error = unpack_artifact(&*hidden, "A", Layout::whole(copy.path()), Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "archive `A`: data follows its last member");
}
