//! The compact binary encoding of our own files: seals of trees and the state journal.
//!
//! Numbers are LEB128, signed ones zigzagged first; bytes are preceded by their count; a frame is a little-endian `u32`
//! length, a `u32` CRC-32 and that many bytes. Reading trusts nothing: whatever does not fit is `None`, and nothing is
//! allocated before it is known to be there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::model::Digest;

/// Bytes of a frame before its content.
pub(crate) const FRAME_HEADER: usize = 8;

/// Appends values to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn number(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }

    pub(crate) fn signed(&mut self, value: i64) -> &mut Self {
        self.number(((value << 1) ^ (value >> 63)) as u64)
    }

    /// Seconds and nanoseconds.
    pub(crate) fn time(&mut self, (seconds, nanoseconds): (i64, u32)) -> &mut Self {
        self.signed(seconds).number(nanoseconds.into())
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64).bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn path(&mut self, path: &Path) -> &mut Self {
        self.blob(path.as_os_str().as_bytes())
    }

    pub(crate) fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.bytes.extend_from_slice(digest.as_bytes());
        self
    }
}

/// Takes values off the front of a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        self.number().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn time(&mut self) -> Option<(i64, u32)> {
        Some((self.signed()?, u32::try_from(self.number()?).ok()?))
    }

    pub(crate) fn blob(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.blob()?).ok()
    }

    pub(crate) fn path(&mut self) -> Option<PathBuf> {
        self.blob().map(|bytes| PathBuf::from(OsStr::from_bytes(bytes)))
    }

    pub(crate) fn digest(&mut self) -> Option<Digest> {
        self.take(32)?.try_into().ok().map(|bytes: [u8; 32]| Digest::from(bytes))
    }

    /// A counted list. Every item takes at least one byte, so that a wild count costs nothing.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= self.rest.len())?;
        (0..count).map(|_| item(self)).collect()
    }

    /// The content of the next frame, if all of it is there and unharmed.
    pub(crate) fn frame(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = u32::from_le_bytes(ahead.take(4)?.try_into().ok()?);
        let sum = u32::from_le_bytes(ahead.take(4)?.try_into().ok()?);
        let content = ahead.take(usize::try_from(length).ok()?)?;
        (libdeflater::crc32(content) == sum).then(|| {
            *self = ahead;
            content
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// Content as a frame; `None` if it has 4 GiB or more.
pub(crate) fn frame(content: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FRAME_HEADER + content.len());
    append_frame(&mut bytes, |writer| writer.bytes.extend_from_slice(content)).map(|()| bytes)
}

/// Appends a frame with what `write` writes, which is copied nowhere. `None`, and nothing appended, if it has 4 GiB or more.
pub(crate) fn append_frame(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Writer)) -> Option<()> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; FRAME_HEADER]);
    let mut writer = Writer { bytes: std::mem::take(bytes) };
    write(&mut writer);
    *bytes = writer.bytes;
    let (head, content) = bytes.split_at_mut(start + FRAME_HEADER);
    let Ok(length) = u32::try_from(content.len()) else {
        bytes.truncate(start);
        return None;
    };
    let (length, sum) = (length.to_le_bytes(), libdeflater::crc32(content).to_le_bytes());
    head[start..].copy_from_slice(&[length, sum].concat());
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u64, signed: i64, nanoseconds: u32, bytes: Vec<u8>) {
            let mut writer = Writer::default();
            let digest = Digest::of(&bytes);
            writer.number(number).time((signed, nanoseconds)).blob(&bytes).digest(&digest).signed(signed);
            let mut reader = Reader::new(&writer.bytes);
            prop_assert_eq!(reader.number(), Some(number));
            prop_assert_eq!(reader.time(), Some((signed, nanoseconds)));
            prop_assert_eq!(reader.blob(), Some(&bytes[..]));
            prop_assert_eq!(reader.digest(), Some(digest));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn a_frame_with_any_bit_changed_or_byte_missing_is_none(content: Vec<u8>, place: prop::sample::Index, bit in 0..8u8) {
            let whole = frame(&content).unwrap();
            let mut longer = b"before".to_vec();
            append_frame(&mut longer, |writer| writer.bytes.extend_from_slice(&content)).unwrap();
            prop_assert_eq!(longer.strip_prefix(b"before"), Some(&whole[..]));
            prop_assert_eq!(Reader::new(&whole).frame(), Some(&content[..]));
            let mut harmed = whole.clone();
            harmed[place.index(whole.len())] ^= 1 << bit;
            prop_assert_ne!(Reader::new(&harmed).frame(), Some(&content[..]));
            prop_assert_eq!(Reader::new(&whole[..place.index(whole.len())]).frame(), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let _ = Reader::new(&bytes).list(|reader| reader.path());
            let _ = Reader::new(&bytes).list(|reader| reader.time());
            let _ = Reader::new(&bytes).frame();
        }
    }

    #[test]
    fn a_wild_count_is_refused_before_anything_is_allocated() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        assert!(Reader::new(&writer.bytes).list(|reader| reader.number()).is_none());
    }
}
