//! Stories of what is refused: names and links that lead out, what has no place in an archive, too much, too little.

use std::fs;

use proptest::prelude::*;
use tar::EntryType;

use super::super::*;
use super::place::{ARTIFACT, Place, SOURCE, artifact_refusal, refusal};
use super::tar::Tar;

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
fn a_global_header_moves_nothing() {
    let tar = Tar::default().member(EntryType::XGlobalHeader, "g", "", b"15 path=elsewh\n").file("x", "").end();
    assert_eq!(refusal(&tar), "a global PAX header sets `path` for all members");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

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
