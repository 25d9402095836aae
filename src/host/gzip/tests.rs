//! Stories of the gzip layer: what it writes, and what it makes of what others wrote.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::model::{Digest, Signature};

fn pack(data: &[u8], threads: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut writer = Writer::new(&mut packed, 1, threads).unwrap();
    writer.write_all(data).unwrap();
    let written = writer.finish(|_| None).unwrap();
    assert_eq!((written.unpacked_size, written.packed_size), (data.len() as u64, packed.len() as u64));
    assert_eq!(written.digest, Digest::of(data));
    packed
}

fn unpack(packed: &[u8]) -> io::Result<(Vec<u8>, Seal)> {
    let mut reader = Reader::new(packed, 2)?;
    let mut data = Vec::new();
    reader.read_to_end(&mut data)?;
    Ok((data, reader.seal().expect("a stream read to its end is sealed")))
}

fn reason(packed: &[u8]) -> String {
    unpack(packed).unwrap_err().to_string()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Text that compresses, different in every block.
fn text(size: usize) -> Vec<u8> {
    (0u32..)
        .flat_map(|number| format!("{} ", number.wrapping_mul(2_654_435_761) % 9_973).into_bytes())
        .take(size)
        .collect()
}

/// Bytes that do not compress (xorshift).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(size).collect()
}

#[test]
fn any_size_around_a_block_round_trips() {
    for size in [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE] {
        let data = text(size);
        let (unpacked, seal) = unpack(&pack(&data, 2)).unwrap();
        assert!(unpacked == data, "{size} bytes");
        assert_eq!(seal, Seal { digest: Digest::of(&data), promised: true, tag: None, signature: None });
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let data = text(5 * BLOCK_SIZE + 17);
    let one = pack(&data, 1);
    assert!(one == pack(&data, 2) && one == pack(&data, 8));
}

#[test]
fn the_size_of_the_pieces_written_does_not_change_a_byte() {
    let data = text(2 * BLOCK_SIZE);
    let mut packed = Vec::new();
    let mut writer = Writer::new(&mut packed, 1, 2).unwrap();
    data.chunks(7_001).for_each(|piece| writer.write_all(piece).unwrap());
    writer.finish(|_| None).unwrap();
    assert!(packed == pack(&data, 2));
}

#[test]
fn what_does_not_compress_is_stored() {
    let data = noise(2 * BLOCK_SIZE);
    let packed = pack(&data, 2);
    assert!(packed.len() < data.len() + data.len() / 1000 + 200, "{} bytes", packed.len());
    assert!(unpack(&packed).unwrap().0 == data);
}

#[test]
fn an_ordinary_reader_sees_an_ordinary_stream() {
    let data = text(2 * BLOCK_SIZE + 5);
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&*pack(&data, 2)).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == data);
}

#[test]
fn a_member_is_laid_out_as_docs_format_says() {
    let packed = pack(b"coffee", 1);
    let (header, rest) = packed.split_at(20);
    assert_eq!(header[..16], *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x08\0MZ\x04\0");
    let size = u32::from_le_bytes(header[16..].try_into().unwrap()) as usize;
    let mut unpacked = Vec::new();
    DeflateDecoder::new(&rest[..size]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, b"coffee");
    let (trailer, last) = rest[size..].split_at(8);
    assert_eq!(trailer[4..], 6u32.to_le_bytes());

    let mut expected = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x2c\0MZ\x04\0\x02\0\0\0cD\x20\0".to_vec();
    expected.extend(Digest::of("coffee").as_bytes());
    expected.extend(b"\x03\0\0\0\0\0\0\0\0\0");
    assert_eq!(last, expected);
}

#[test]
fn streams_of_others_are_read_and_promise_nothing() {
    let data = text(BLOCK_SIZE + 99);
    let (unpacked, seal) = unpack(&gzip(&data)).unwrap();
    assert!(unpacked == data);
    assert_eq!(seal, Seal { digest: Digest::of(&data), promised: false, tag: None, signature: None });
}

#[test]
fn concatenated_members_are_one_stream() {
    let both = [gzip(b"short "), gzip(b""), gzip(b"black")].concat();
    assert_eq!(unpack(&both).unwrap().0, b"short black");
}

#[test]
fn a_foreign_member_after_blocks_goes_on_with_the_stream() {
    let packed = pack(b"flat ", 1);
    let blocks = &packed[..packed.len() - LAST_SIZE];
    let (unpacked, seal) = unpack(&[blocks, &gzip(b"white")].concat()).unwrap();
    assert_eq!((unpacked.as_slice(), seal.promised), (b"flat white".as_slice(), false));
}

#[test]
fn a_foreign_extra_field_is_passed_over() {
    let mut packed = gzip(b"long black");
    packed[3] |= 4;
    let with_extra = [&packed[..10], b"\x07\0AA\x03\0abc", &packed[10..]].concat();
    assert_eq!(unpack(&with_extra).unwrap().0, b"long black");
    let malformed = [&packed[..10], b"\x05\0AA\xff\xffa", &packed[10..]].concat();
    assert_eq!(unpack(&malformed).unwrap().0, b"long black");
}

const LAST_SIZE: usize = 66;

#[test]
fn a_stream_cut_anywhere_is_refused_or_unsealed() {
    let data = text(300);
    let packed = pack(&data, 1);
    for end in 0..packed.len() {
        match unpack(&packed[..end]) {
            // Without its last member a stream promises nothing; the layer above knows where its own end is.
            Ok((unpacked, seal)) => {
                assert_eq!((end, seal.promised), (packed.len() - LAST_SIZE, false));
                assert!(unpacked == data);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn data_after_the_last_member_is_refused() {
    let packed = pack(b"ristretto", 1);
    for tail in [b"x".to_vec(), gzip(b"more"), pack(b"more", 1), vec![0; 512]] {
        assert_eq!(reason(&[packed.as_slice(), &tail].concat()), "data follows its last member");
    }
    assert!(unpack(&[gzip(b"ristretto").as_slice(), b"garbage, more than a header"].concat()).is_err());
}

#[test]
fn a_broken_promise_is_refused() {
    let mut packed = pack(b"lungo", 1);
    let digest_at = packed.len() - 20;
    packed[digest_at] ^= 1;
    assert!(reason(&packed).starts_with("its content has the SHA-256 "));
}

#[test]
fn blocks_in_another_order_are_refused() {
    let data = text(2 * BLOCK_SIZE);
    let packed = pack(&data, 1);
    let size = u32::from_le_bytes(packed[16..20].try_into().unwrap()) as usize + 28;
    let (first, rest) = packed.split_at(size);
    let (second, last) = rest.split_at(rest.len() - LAST_SIZE);
    assert!(reason(&[second, first, last].concat()).starts_with("its content has the SHA-256 "));
}

#[test]
fn lying_sizes_are_found_out() {
    let data = text(1000);
    let packed = pack(&data, 1);
    let size = u32::from_le_bytes(packed[16..20].try_into().unwrap());
    for lie in [0, 1, size - 1, size + 1, size + 8, 4 << 20, (4 << 20) + 1, u32::MAX] {
        let mut lying = packed.clone();
        lying[16..20].copy_from_slice(&lie.to_le_bytes());
        // Where a size is too large for a block the member is read as a stream, which needs no size.
        match unpack(&lying) {
            Ok((unpacked, _)) => assert!(unpacked == data, "{lie} instead of {size}"),
            Err(error) => assert!(lie <= 4 << 20, "{lie} instead of {size}: {error}"),
        }
    }
    let isize_at = packed.len() - LAST_SIZE - 4;
    for lie in [0u32, 999, 1001, u32::MAX] {
        let mut lying = packed.clone();
        lying[isize_at..isize_at + 4].copy_from_slice(&lie.to_le_bytes());
        assert!(unpack(&lying).is_err(), "{lie} instead of 1000");
    }
}

#[test]
fn what_is_not_gzip_is_refused() {
    assert_eq!(reason(b""), "it is empty");
    for other in [&b"\x1f"[..], b"\x1f\x8b\x08\x04", b"BZh91AY&SY a whole header of something else", &[0; 1024]] {
        assert!(unpack(other).is_err());
    }
}

#[test]
fn an_error_stays_an_error() {
    let mut packed = pack(&text(100), 1);
    packed[25] ^= 0xff;
    let mut reader = Reader::new(&*packed, 1).unwrap();
    let mut buffer = [0; 10];
    let first = reader.read(&mut buffer).unwrap_err().to_string();
    assert_eq!(reader.read(&mut buffer).unwrap_err().to_string(), first);
    assert!(reader.seal().is_none());
}

#[test]
fn levels_are_1_to_12() {
    for level in [0, 13, u32::MAX] {
        assert!(Writer::new(Vec::new(), level, 1).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_damage_is_found(data in prop::collection::vec(any::<u8>(), 0..2000), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut packed = pack(&data, 1);
        let at = at.index(packed.len());
        packed[at] ^= flip;
        // Header bytes that mean nothing (time, system, unknown subfields) may change; content may not.
        if let Ok((unpacked, _)) = unpack(&packed) {
            prop_assert_eq!(unpacked, data);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = unpack(&[b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x08\0MZ\x04\0".as_slice(), &bytes].concat());
        let _ = unpack(&bytes);
    }
}

#[test]
fn a_signature_travels_in_the_last_member() {
    let signature = Signature { signer: [3; 32], proof: [5; 64] };
    let mut packed = Vec::new();
    let mut writer = Writer::new(&mut packed, 1, 1).unwrap();
    writer.write_all(b"beans").unwrap();
    let written = writer.finish(|digest| (*digest == Digest::of("beans")).then_some(signature)).unwrap();
    assert_eq!(written.packed_size, packed.len() as u64);
    let (data, seal) = unpack(&packed).unwrap();
    assert_eq!((data.as_slice(), seal.signature), (&b"beans"[..], Some(signature)));
    let mut plain = Vec::new();
    MultiGzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, b"beans", "others read it as ever");
}

#[test]
fn a_promise_is_found_at_the_end_whatever_else_is_there() {
    let (tags, signed) = ([None, Some(Digest::of("tag"))], Some(Signature { signer: [3; 32], proof: [5; 64] }));
    for (tag, signature) in tags.into_iter().flat_map(|tag| [(tag, None), (tag, signed)]) {
        let mut packed = Vec::new();
        let mut writer = Writer::new(&mut packed, 1, 1).unwrap().made_for(tag);
        writer.write_all(b"beans").unwrap();
        writer.finish(|_| signature).unwrap();
        let found = |bytes: &[u8]| promised(&mut io::Cursor::new(bytes)).unwrap();
        assert_eq!(found(&packed), Some(Digest::of("beans")));
        let seal = unpack(&packed).unwrap().1;
        assert_eq!((seal.tag, seal.signature), (tag, signature));
        assert_eq!(found(&packed[..packed.len() - 1]), None);
        assert_eq!(found(&[&packed[..], b"\0"].concat()), None);
    }
    for others in [Vec::new(), b"short".to_vec(), gzip(b"beans"), noise(4096)] {
        assert_eq!(promised(&mut io::Cursor::new(others)).unwrap(), None);
    }
}
