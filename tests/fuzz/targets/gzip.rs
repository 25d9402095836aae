//! Any bytes as a gzip stream: every number of threads finds the same in them, and never more than an ordinary reader.
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

use std::io::Read;

use error::*;
use flate2::read::MultiGzDecoder;
use libfuzzer_sys::fuzz_target;
use model::*;

/// No input of some kilobytes needs to become larger for anything to happen that has not happened before.
const MOST: u64 = 16 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    for bytes in [bytes, &mended] {
        let one = read(bytes, 1);
        assert!(one == read(bytes, 2) && one == read(bytes, 8));
        if let Some(plain) = one.filter(|_| !hides(bytes)) {
            let mut expected = Vec::new();
            MultiGzDecoder::new(bytes).take(MOST).read_to_end(&mut expected).expect("an ordinary reader reads it too");
            assert!(plain == expected);
        }
    }
});

fn read(bytes: &[u8], threads: usize) -> Option<Vec<u8>> {
    let mut reader = host::gzip::Reader::new(bytes, threads).expect("no thread is started yet");
    let mut plain = Vec::new();
    reader.by_ref().take(MOST).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Gives every member of known length the CRC and size that its data has: a fuzzer does not find them by chance.
fn mend(bytes: &mut [u8]) {
    let mut inflater = libdeflater::Decompressor::new();
    let mut plain = vec![0; 1 << 20];
    members(bytes, |bytes, start, end| {
        if let Ok(size) = inflater.deflate_decompress(&bytes[start..end], &mut plain) {
            bytes[end..end + 4].copy_from_slice(&libdeflater::crc32(&plain[..size]).to_le_bytes());
            bytes[end + 4..end + 8].copy_from_slice(&(size as u32).to_le_bytes());
        }
    });
}

/// Whether a member has bytes between its data and its trailer, by which other readers are led elsewhere.
fn hides(bytes: &[u8]) -> bool {
    let mut hides = false;
    members(&mut bytes.to_vec(), |bytes, start, end| {
        let mut decoder = flate2::Decompress::new(false);
        let mut plain = vec![0; MOST as usize];
        let done = decoder.decompress(&bytes[start..end], &mut plain, flate2::FlushDecompress::Finish);
        hides |= done.is_err() || decoder.total_in() != (end - start) as u64;
    });
    hides
}

/// The members of known length at the beginning: where their data starts and ends.
fn members(bytes: &mut [u8], mut each: impl FnMut(&mut [u8], usize, usize)) {
    let mut at = 0;
    while let Some([0x1f, 0x8b, 8, 4, .., low, high]) = bytes.get(at..at + 12) {
        let start = at + 12 + usize::from(u16::from_le_bytes([*low, *high]));
        let Some(extra) = bytes.get(at + 12..start) else { return };
        let Some(size) = size(extra) else { return };
        let end = start + size;
        if bytes.len() < end + 8 {
            return;
        }
        each(bytes, start, end);
        at = end + 8;
    }
}

/// The size in an extra field that begins with it, as ours do.
fn size(extra: &[u8]) -> Option<usize> {
    let size = extra.strip_prefix(b"MZ\x04\0")?.get(..4)?;
    usize::try_from(u32::from_le_bytes(size.try_into().ok()?)).ok()
}
