//! Stories of artifacts: what was packed comes back equal, from whichever directory down.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;

use super::super::*;
use super::place::{ARTIFACT, Place};
use super::tar::Tar;
use crate::host::listing::{self, Listing};
use crate::host::pack::{PackOptions, pack};

/// What an artifact keeps of a path: kind, mode, bytes, and the first entry that is the same file.
type Kept = (PathBuf, listing::Kind, u32, Option<Vec<u8>>, usize);

pub(super) fn snapshot(root: &Path) -> Vec<Kept> {
    let listing = Listing::of(root).unwrap();
    let first_of = |entry: &listing::Entry| {
        let same = |other: &listing::Entry| other.stat.inode == entry.stat.inode;
        listing.entries.iter().position(same).unwrap()
    };
    let entries = listing.entries.iter();
    let snapshot = entries.map(|entry| {
        let content = (entry.kind == listing::Kind::File).then(|| fs::read(root.join(&entry.path)).unwrap());
        (entry.path.clone(), entry.kind.clone(), entry.mode, content, first_of(entry))
    });
    snapshot.collect()
}

fn round_trip(root: &Path) -> (tempfile::TempDir, UnpackedArtifact) {
    let mut bytes = Vec::new();
    let packed = pack(
        &Layout::whole(root),
        &Listing::of(root).unwrap().entries,
        &mut bytes,
        &PackOptions { mtime: 1_234_567, ..PackOptions::default() },
    )
    .unwrap();
    let copy = tempfile::tempdir().unwrap();
    let unpacked = unpack_artifact(&*bytes, "A", Layout::whole(copy.path()), Limits::default()).unwrap();
    assert_eq!((unpacked.digest, unpacked.promised), (packed.digest, true));
    assert_eq!(unpacked.entries.len(), packed.entries);
    assert_eq!(unpacked.entries, Listing::of(copy.path()).unwrap().entries, "no walk would find anything else");
    for dir in unpacked.entries.iter().filter(|entry| entry.kind == listing::Kind::Directory) {
        comes_to_the_same_from(&dir.path, &bytes, &unpacked);
    }
    comes_to_the_same_from(Path::new("else/where"), &bytes, &unpacked);
    (copy, unpacked)
}

/// Unpacks an artifact from a directory down, where `whole` is what became of it from the root.
fn comes_to_the_same_from(top: &Path, artifact: &[u8], whole: &UnpackedArtifact) {
    let room = tempfile::tempdir().unwrap();
    let dest = room.path().join("dest");
    fs::create_dir(&dest).unwrap();
    let unpacked = unpack_artifact(artifact, "A", Layout::below(&dest, top), Limits::default()).unwrap();
    assert_eq!(unpacked.digest, whole.digest);
    let meaning = |entry: &Entry| {
        let (mtime, is_file) = (entry.stat.mtime, entry.kind == listing::Kind::File);
        (entry.path.clone(), entry.kind.clone(), entry.mode, mtime, is_file.then_some(entry.stat.size))
    };
    assert!(unpacked.entries.iter().map(meaning).eq(whole.entries.iter().map(meaning)));
    let within = |entry: &&Entry| top.starts_with(&entry.path) || entry.path.starts_with(top);
    let wide = whole.entries.iter().filter(within).count() < whole.entries.len();
    assert_eq!(unpacked.layout, if wide { Layout::whole(&dest) } else { Layout::below(&dest, top) });
    let mut found = Listing::of(&dest).unwrap().entries;
    found.iter_mut().for_each(|entry| entry.path = unpacked.layout.top.join(&entry.path));
    let placed = unpacked.entries.iter().filter(|entry| unpacked.layout.place(&entry.path).is_some());
    assert!(found.iter().eq(placed), "no walk would find anything else");
    for entry in found.iter().filter(|entry| entry.kind == listing::Kind::File) {
        let content = |layout: &Layout| fs::read(layout.place(&entry.path).unwrap()).unwrap();
        assert!(content(&unpacked.layout) == content(&whole.layout), "{entry:?}");
    }
    assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1);
}

#[test]
fn a_tree_with_one_of_everything_comes_back_equal() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    let mode = |name: &str, mode| fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir_all(at("empty/nested")).unwrap();
    fs::create_dir_all(at("ro/inner")).unwrap();
    for (name, content) in [("zero", vec![]), ("ro/inner/file", b"x".to_vec()), ("big", vec![7; 3_000_000])] {
        fs::write(at(name), content).unwrap();
    }
    let odd =
        [b"-rf".to_vec(), b"a b".to_vec(), b"a\nb".to_vec(), b"q'\"$`".to_vec(), b"caf\xe9".to_vec(), vec![b'n'; 255]];
    for name in odd {
        fs::write(root.path().join(OsString::from_vec(name.clone())), name).unwrap();
    }
    let deep: PathBuf = (0..8).map(|_| "d\n".repeat(60)).collect();
    fs::create_dir_all(root.path().join(&deep)).unwrap();
    fs::write(root.path().join(&deep).join("file"), "deep").unwrap();
    for (target, link) in [("big", "l1"), ("empty", "l2"), ("nowhere", "l3"), ("/etc", "l4"), ("../..", "l5")] {
        symlink(target, at(link)).unwrap();
    }
    symlink("t".repeat(300), at("l6")).unwrap();
    fs::hard_link(at("big"), at("empty/again")).unwrap();
    fs::hard_link(at("big"), root.path().join(&deep).join("and-again")).unwrap();
    for (name, bits) in [("zero", 0o4755), ("-rf", 0o600), ("a b", 0o444), ("empty", 0o2775), ("empty/nested", 0o1777)]
    {
        mode(name, bits);
    }
    mode("ro/inner", 0o555);
    mode("ro", 0o500);

    let (copy, _) = round_trip(root.path());
    assert_eq!(snapshot(copy.path()), snapshot(root.path()));
    assert!(Listing::of(copy.path()).unwrap().entries.iter().all(|entry| entry.stat.mtime == (1_234_567, 0)));
    for tree in [root.path(), copy.path()] {
        for dir in ["ro", "ro/inner"] {
            fs::set_permissions(tree.join(dir), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

#[test]
fn of_what_is_all_below_one_directory_those_above_are_not_made() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::create_dir_all(at("opt/shop/bin")).unwrap();
    fs::write(at("opt/shop/bin/tool"), "tool").unwrap();
    fs::hard_link(at("opt/shop/bin/tool"), at("opt/shop/alias")).unwrap();
    for (dir, mode) in [("opt/shop/bin", 0o750), ("opt/shop", 0o555), ("opt", 0o711)] {
        fs::set_permissions(at(dir), fs::Permissions::from_mode(mode)).unwrap();
    }
    let (_copy, whole) = round_trip(root.path());
    assert_eq!(whole.entries.iter().map(|entry| entry.mode).take(2).collect::<Vec<_>>(), [0o711, 0o555]);

    fs::set_permissions(at("opt/shop"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(at("etc")).unwrap();
    fs::hard_link(at("opt/shop/alias"), at("etc/conf")).unwrap();
    symlink("../etc/conf", at("opt/conf")).unwrap();
    let (copy, _) = round_trip(root.path());
    assert_eq!(snapshot(copy.path()), snapshot(root.path()));
}

#[test]
fn times_are_those_of_the_archive() {
    let tar = Tar::default().pax(&[("mtime", "12.5")]).file("d/f", "").symlink("l", "d").end();
    let place = Place::new();
    place.unpack(&tar, &ARTIFACT).unwrap();
    let times = ["d", "d/f", "l"].map(|path| {
        let file = fs::symlink_metadata(place.dest().join(path)).unwrap();
        (file.mtime(), file.mtime_nsec())
    });
    assert_eq!(times, [(12, 500_000_000), (12, 500_000_000), (1_000_000_000, 0)]);
}

#[test]
fn an_artifact_of_another_tool_promises_nothing_and_unpacks() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("d/f"), "content").unwrap();
    let tar =
        std::process::Command::new("tar").arg("czf").arg("-").arg("-C").arg(root.path()).arg(".").output().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let unpacked = unpack_artifact(&*tar.stdout, "A", Layout::whole(copy.path()), Limits::default()).unwrap();
    assert!(!unpacked.promised);
    assert_eq!(fs::read(copy.path().join("d/f")).unwrap(), b"content");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_tree_comes_back_equal(files in prop::collection::btree_map("[a-c](/[a-c\u{e9} -]{1,60}){0,4}", (any::<Vec<u8>>(), 0o400u32..0o1000), 0..12)) {
        let root = tempfile::tempdir().unwrap();
        for (name, (content, mode)) in files {
            let path = root.path().join(&name);
            // Where a file lies already there is no directory, and the other way round.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(&path, content).is_ok() {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        let (copy, _) = round_trip(root.path());
        prop_assert_eq!(snapshot(copy.path()), snapshot(root.path()));
    }
}
