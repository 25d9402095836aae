//! Any bytes as a tar: nothing leaves its directory, and what is unpacked is what the unpacker says.
#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/host/mod.rs"]
mod host;
#[path = "../../../src/model/mod.rs"]
mod model;
#[path = "../../../src/text.rs"]
mod text;

use std::fs;
use std::io::Write;
use std::path::Path;

use error::*;
use host::layout::Layout;
use host::listing::Listing;
use host::unpack::{Limits, Profile, UnpackOptions, unpack, unpack_artifact};
use libfuzzer_sys::fuzz_target;
use model::*;

const LIMITS: Limits = Limits { entries: 200, bytes: 1 << 20 };

fuzz_target!(|bytes: &[u8]| {
    if let Some(records) = host::pax::parse(bytes) {
        assert!(records.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() <= bytes.len());
    }
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
    fs::write(place.path().join("outside"), "untouched").expect("a file");
    for tar in [bytes, &mended] {
        as_source(tar, place.path());
        as_artifact(tar, place.path());
    }
    assert_eq!(fs::read(place.path().join("outside")).expect("still there"), b"untouched");
    assert_eq!(fs::read_dir(place.path()).expect("still there").count(), 1);
});

fn as_source(tar: &[u8], place: &Path) {
    let dest = place.join("dest");
    for strip in [0, 1] {
        fs::create_dir(&dest).expect("a directory");
        let _ = unpack(tar, &dest, &UnpackOptions { archive: "A", profile: Profile::Source, strip, limits: LIMITS });
        host::fs::remove_tree(&dest).expect("it can be removed");
    }
}

fn as_artifact(tar: &[u8], place: &Path) {
    let mut packed = Vec::new();
    let mut writer = host::gzip::Writer::new(&mut packed, 1, 1).expect("a level");
    writer.write_all(tar).and_then(|()| writer.finish(|_| None).map(drop)).expect("memory");
    let dest = place.join("dest");
    for top in ["", "d", "d/e"] {
        fs::create_dir(&dest).expect("a directory");
        if let Ok(unpacked) = unpack_artifact(&*packed, "A", Layout::below(&dest, Path::new(top)), LIMITS) {
            assert!(unpacked.promised);
            let mut found = Listing::of(&dest).expect("it can be listed").entries;
            found.iter_mut().for_each(|entry| entry.path = unpacked.layout.top.join(&entry.path));
            assert!(unpacked.entries.iter().filter(|entry| unpacked.layout.place(&entry.path).is_some()).eq(&found));
        }
        host::fs::remove_tree(&dest).expect("it can be removed");
    }
}

/// Gives whatever may be a header the checksum that it should have: a fuzzer does not find it by chance.
fn mend(tar: &mut [u8]) {
    for header in tar.chunks_exact_mut(512).filter(|block| block.iter().any(|byte| *byte != 0)) {
        let sum: u32 = header[..148].iter().chain(&header[156..]).map(|byte| u32::from(*byte)).sum::<u32>() + 256;
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}
