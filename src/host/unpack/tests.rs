//! Stories of unpacking: what comes back equal, and what is refused.

mod damage;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;
use crate::host::listing::{self, Listing};
use crate::host::pack::{PackOptions, pack};
use crate::host::pax;

/// A tar under construction, as wicked as one likes.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn member(mut self, kind: EntryType, name: impl AsRef<[u8]>, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        let (old, name) = (header.as_old_mut(), name.as_ref());
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o6644 });
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: impl AsRef<[u8]>, content: &str) -> Self {
        self.member(EntryType::Regular, name, "", content.as_bytes())
    }

    fn dir(self, name: &str) -> Self {
        self.member(EntryType::Directory, name, "", b"")
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Symlink, name, target, b"")
    }

    fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Link, name, target, b"")
    }

    fn pax(mut self, records: &[(&str, &str)]) -> Self {
        let records: Vec<_> = records.iter().map(|(key, value)| (*key, value.as_bytes().to_vec())).collect();
        pax::write(&mut self.0, &records).unwrap();
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

const ARTIFACT: UnpackOptions = UnpackOptions {
    archive: "A",
    profile: Profile::Artifact,
    strip: 0,
    limits: Limits { entries: 1000, bytes: 1 << 24 },
};

const SOURCE: UnpackOptions = UnpackOptions { profile: Profile::Source, strip: 1, ..ARTIFACT };

/// A directory to unpack into, with a sibling that nothing may touch.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.dest()).unwrap();
        fs::write(place.outside(), "untouched").unwrap();
        place
    }

    fn dest(&self) -> PathBuf {
        self.0.path().join("dest")
    }

    fn outside(&self) -> PathBuf {
        self.0.path().join("outside")
    }

    fn unpack(&self, tar: &[u8], options: &UnpackOptions) -> Result<Unpacked> {
        unpack(tar, &self.dest(), options)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dest().join(path)).unwrap()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.dest().join(path)).unwrap().mode() & 0o7777
    }
}

/// What both profiles have to refuse, without a trace outside the directory.
fn refusal(tar: &[u8]) -> String {
    let source = UnpackOptions { strip: 0, ..SOURCE };
    let texts = [&ARTIFACT, &source].map(|options| {
        let place = Place::new();
        let error = place.unpack(tar, options).unwrap_err().to_string();
        let names: Vec<_> = Listing::of(place.0.path()).unwrap().entries.into_iter().map(|entry| entry.path).collect();
        assert!(names.iter().all(|name| name.starts_with("dest") || name == "outside"), "{names:?}");
        assert_eq!(fs::read_to_string(place.outside()).unwrap(), "untouched");
        assert_eq!(fs::metadata(place.outside()).unwrap().nlink(), 1);
        error
    });
    assert_eq!(texts[0], texts[1]);
    for top in ["d", "d/e", "elsewhere"] {
        let place = Place::new();
        let error = extract(tar, Layout::below(&place.dest(), Path::new(top)), &ARTIFACT).map(drop).unwrap_err();
        assert_eq!(error.to_string(), texts[0], "from `{top}` down");
        let names: Vec<_> = fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| name == "dest" || name == "outside"), "{names:?}");
        assert_eq!(fs::metadata(place.outside()).unwrap().nlink(), 1);
    }
    texts[0].strip_prefix("archive `A`: ").expect(&texts[0]).to_owned()
}

/// What only an artifact may not hold.
fn artifact_refusal(tar: &[u8]) -> String {
    let error = Place::new().unpack(tar, &ARTIFACT).unwrap_err().to_string();
    for top in ["d", "d/e", "elsewhere"] {
        let place = Place::new();
        let narrow = extract(tar, Layout::below(&place.dest(), Path::new(top)), &ARTIFACT).map(drop).unwrap_err();
        assert_eq!(narrow.to_string(), error, "from `{top}` down");
    }
    error.strip_prefix("archive `A`: ").expect(&error).to_owned()
}

#[test]
fn names_that_lead_out_are_refused() {
    for (name, problem) in [
        ("/etc/x", "has an absolute name"),
        ("../outside", "has `..` in its name"),
        ("a/../../outside", "has `..` in its name"),
        ("..", "has `..` in its name"),
    ] {
        assert_eq!(refusal(&Tar::default().file(name, "evil").end()), format!("member `{name}` {problem}"));
    }
    assert_eq!(
        refusal(&Tar::default().pax(&[("path", "a\0b")]).file("x", "").end()),
        r"member `a\0b` has a NUL in its name"
    );
    assert_eq!(refusal(&Tar::default().file("./", "").dir("x").file(".", "").end()), "member `.` has an empty name");
}

#[test]
fn nothing_is_written_through_a_link() {
    let below = |target| Tar::default().symlink("link", target).file("link/outside", "evil").end();
    for target in ["..", "/tmp", ".", "nowhere"] {
        let problem = "member `link/outside` lies below `link`, which is no directory";
        assert_eq!(refusal(&below(target)), problem);
    }
    let deeper = Tar::default().dir("a").symlink("a/b", "../..").file("a/b/c/outside", "evil").end();
    assert_eq!(refusal(&deeper), "member `a/b/c/outside` lies below `a/b`, which is no directory");
    let below_file = Tar::default().file("f", "").file("f/g", "").end();
    assert_eq!(refusal(&below_file), "member `f/g` lies below `f`, which is no directory");
}

#[test]
fn a_file_does_not_follow_a_link_of_its_name() {
    let tar = Tar::default().symlink("x", "../outside").file("x", "evil").end();
    assert_eq!(artifact_refusal(&tar), "member `x` comes twice");
    let place = Place::new();
    place.unpack(&tar, &UnpackOptions { strip: 0, ..SOURCE }).unwrap();
    assert!(fs::symlink_metadata(place.dest().join("x")).unwrap().is_file());
    assert_eq!(fs::read_to_string(place.outside()).unwrap(), "untouched");
}

#[test]
fn hard_links_only_name_files_of_the_archive() {
    for target in ["../outside", "/etc/passwd", ""] {
        assert!(refusal(&Tar::default().hard_link("x", target).end()).starts_with("member `x` is a hard link "));
    }
    for target in ["nothing", "x", "dir", "link", "link/file", "dir/link/passwd"] {
        let tar = Tar::default().dir("dir").file("dir/file", "").symlink("link", "dir").symlink("dir/link", "/etc");
        assert!(refusal(&tar.hard_link("x", target).end()).starts_with("member `x` is a hard link to "), "{target}");
    }
}

#[test]
fn what_is_no_file_directory_or_link_is_refused() {
    for (kind, what) in [
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "fifo"),
        (EntryType::GNUSparse, "sparse file"),
        (EntryType::new(b'V'), "member of unknown kind"),
    ] {
        assert_eq!(refusal(&Tar::default().member(kind, "x", "", b"").end()), format!("member `x` is a {what}"));
    }
    let sparse = Tar::default().pax(&[("GNU.sparse.major", "1")]).file("x", "").end();
    assert_eq!(refusal(&sparse), "a member has the PAX record `GNU.sparse.major`, which cannot be unpacked");
    let attribute = Tar::default().pax(&[("SCHILY.xattr.user.x", "1")]).file("x", "").end();
    let problem = "a member has the PAX record `SCHILY.xattr.user.x`, which cannot be unpacked";
    assert_eq!(artifact_refusal(&attribute), problem);
    let linked = Tar::default().member(EntryType::Symlink, "x", "y", b"content").end();
    assert_eq!(refusal(&linked), "member `x` has content but is no file");
}

#[test]
fn an_artifact_names_a_path_once() {
    for tar in [
        Tar::default().file("x", "1").file("x", "2"),
        Tar::default().file("x", "1").file("./x", "2"),
        Tar::default().dir("x").dir("x"),
        Tar::default().dir("x").symlink("x", "y"),
        Tar::default().symlink("x", "y").dir("x"),
    ] {
        assert!(artifact_refusal(&tar.end()).ends_with("comes twice"));
    }
}

#[test]
fn of_a_source_the_last_of_several_members_wins() {
    let tar = Tar::default().file("p/x", "first").hard_link("p/y", "p/x").file("p/x", "last").dir("p/d").dir("p/d");
    let place = Place::new();
    place.unpack(&tar.end(), &SOURCE).unwrap();
    assert_eq!((place.read("x"), place.read("y")), ("last".into(), "first".into()));
    let error = Place::new().unpack(&Tar::default().dir("p/x").file("p/x", "").end(), &SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "archive `A`: member `p/x` would replace a directory");
}

#[test]
fn bombs_are_stopped_before_they_are_written() {
    let many = (0..20).fold(Tar::default(), |tar, number| tar.file(format!("{number}"), "")).end();
    let few = UnpackOptions { limits: Limits { entries: 10, ..ARTIFACT.limits }, ..ARTIFACT };
    let error = Place::new().unpack(&many, &few).unwrap_err();
    assert_eq!(error.to_string(), "archive `A`: it has more than 10 members");

    let large = Tar::default().pax(&[("size", "17000000")]).file("x", "").end();
    assert_eq!(refusal(&large), "member `x` makes it larger than 16777216 bytes");
    let tail = [Tar::default().file("x", "").end(), vec![0; 1 << 24]].concat();
    assert_eq!(refusal(&tail), "it is larger than 16777216 bytes");
    let name = Tar::default().member(EntryType::GNULongName, "x", "", &vec![b'n'; (1 << 20) + 1]).file("x", "").end();
    assert_eq!(refusal(&name), "a name or PAX header is larger than 1048576 bytes");
}

#[test]
fn a_tar_cut_anywhere_is_refused() {
    let tar = Tar::default().dir("d").pax(&[("path", "d/long")]).file("x", "content").end();
    let whole = tar.len() - 512;
    for end in (0..whole).step_by(64).chain([1, 511, 513, whole - 1]) {
        assert_eq!(artifact_refusal(&tar[..end]), "it is truncated", "{end} bytes");
    }
}

#[test]
fn a_damaged_header_is_refused() {
    let mut tar = Tar::default().file("x", "content").end();
    tar[3] ^= 1;
    assert_eq!(refusal(&tar), "it is not a tar, or damaged: a header has a wrong checksum");
    assert_eq!(refusal(&[b'x'; 2000]), "it is not a tar, or damaged: a header has a wrong checksum");
    let malformed = Tar::default().member(EntryType::XHeader, "x", "", b"99 path=x\n").file("x", "").end();
    assert_eq!(refusal(&malformed), "a PAX header is malformed");
}

#[test]
fn data_after_the_end_of_an_artifact_is_refused() {
    let tar = Tar::default().file("x", "").end();
    let padded = [tar.clone(), vec![0; 9216]].concat();
    Place::new().unpack(&padded, &ARTIFACT).unwrap();
    let hidden = [tar, vec![0; 512], Tar::default().file("y", "").end()].concat();
    assert_eq!(artifact_refusal(&hidden), "data follows its end");
}

#[test]
fn a_source_loses_its_top_directory_and_setuid() {
    let tar = Tar::default()
        .member(EntryType::XGlobalHeader, "pax_global_header", "", b"12 comment=\n")
        .dir("pkg-1.0/")
        .file("pkg-1.0/configure", "#!/bin/sh\n")
        .member(EntryType::GNULongName, "././@LongLink", "", &[b"pkg-1.0/", "n".repeat(200).as_bytes(), b"\0"].concat())
        .file("pkg-1.0/nnn", "long")
        .hard_link("pkg-1.0/again", "pkg-1.0/configure")
        .symlink("pkg-1.0/doc/link", "../configure");
    let place = Place::new();
    let unpacked = place.unpack(&tar.end(), &SOURCE).unwrap();
    assert_eq!(unpacked, Unpacked { entries: 4, bytes: 14 });
    assert_eq!((place.read("doc/link"), place.read(&"n".repeat(200))), ("#!/bin/sh\n".into(), "long".into()));
    assert_eq!((place.mode("configure"), place.mode("doc")), (0o644, 0o755));
    let file = fs::metadata(place.dest().join("again")).unwrap();
    assert_eq!((file.nlink(), file.mtime()), (2, 1_000_000_000));
}

#[test]
fn stripping_does_not_lose_files() {
    let error = Place::new().unpack(&Tar::default().file("README", "").end(), &SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "archive `A`: member `README` has no more than 1 leading components");
}

#[test]
fn a_source_may_lack_its_end_marker() {
    let place = Place::new();
    place.unpack(&Tar::default().file("p/x", "content").0, &SOURCE).unwrap();
    assert_eq!(place.read("x"), "content");
}

#[test]
fn a_global_header_moves_nothing() {
    let tar = Tar::default().member(EntryType::XGlobalHeader, "g", "", b"15 path=elsewh\n").file("x", "").end();
    assert_eq!(refusal(&tar), "a global PAX header sets `path` for all members");
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

/// What an artifact keeps of a path: kind, mode, bytes, and the first entry that is the same file.
type Kept = (PathBuf, listing::Kind, u32, Option<Vec<u8>>, usize);

fn snapshot(root: &Path) -> Vec<Kept> {
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
fn no_directory_stands_for_what_is_none() {
    for tar in [
        Tar::default().dir("d").file("d/f", "").file("d", ""),
        Tar::default().dir("d").dir("d"),
        Tar::default().file("d/f", "").dir("d").dir("d"),
    ] {
        assert_eq!(artifact_refusal(&tar.end()), "member `d` comes twice");
    }
    let below_link = Tar::default().symlink("d", "/").file("d/e/f", "").end();
    assert_eq!(refusal(&below_link), "member `d/e/f` lies below `d`, which is no directory");
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

    #[test]
    fn no_tar_makes_it_panic_or_leave(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), fix in any::<bool>()) {
        let mut tar = Tar::default().dir("d").file("d/f", "content").symlink("l", "d").hard_link("h", "d/f").end();
        for (at, byte) in flips {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        if fix {
            for block in tar.chunks_exact_mut(512) {
                let header: &mut [u8; 512] = block.try_into().unwrap();
                let sum: u32 = header[..148].iter().chain(&header[156..]).map(|byte| u32::from(*byte)).sum::<u32>() + 256;
                if header.iter().any(|byte| *byte != 0) {
                    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                }
            }
        }
        for top in ["", "d", "d/e"] {
            let place = Place::new();
            let _ = extract(&*tar, Layout::below(&place.dest(), Path::new(top)), &ARTIFACT);
            prop_assert_eq!(fs::read_to_string(place.outside()).unwrap(), "untouched");
            prop_assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2);
        }
    }
}
