//! Stories of sources: archives of others, unpacked as they are meant.

use std::fs;
use std::os::unix::fs::MetadataExt;

use tar::EntryType;

use super::super::*;
use super::place::{Place, SOURCE};
use super::tar::Tar;

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
fn of_a_source_the_last_of_several_members_wins() {
    let tar = Tar::default().file("p/x", "first").hard_link("p/y", "p/x").file("p/x", "last").dir("p/d").dir("p/d");
    let place = Place::new();
    place.unpack(&tar.end(), &SOURCE).unwrap();
    assert_eq!((place.read("x"), place.read("y")), ("last".into(), "first".into()));
    let error = Place::new().unpack(&Tar::default().dir("p/x").file("p/x", "").end(), &SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "archive `A`: member `p/x` would replace a directory");
}
