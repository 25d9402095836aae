//! The shasum: SHA-256 over the list of fields, every label and value preceded by its length.
//!
//! `docs/key.md` specifies the encoding byte for byte; the golden vectors in `tests/it/key.rs` pin it.

use sha2::{Digest as _, Sha256};

use super::reader::Reader;
use crate::model::Digest;

/// The version of the key's format. It is the first thing hashed: a change to what counts gives it a new number, and
/// every key with it.
pub const KEY_FORMAT: u32 = 1;

/// Hashes the fields that it is told.
pub(super) struct Shasum {
    hasher: Sha256,
    buffer: Vec<u8>,
}

const VALUE: u8 = b'v';
const GROUP: u8 = b'g';

impl Shasum {
    pub(super) fn new() -> Self {
        let mut buffer = Vec::with_capacity(1024);
        buffer.extend_from_slice(format!("cortado key {KEY_FORMAT}\n").as_bytes());
        Self { hasher: Sha256::new(), buffer }
    }

    pub(super) fn finish(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        Digest::finish(self.hasher)
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        if bytes.len() > 4096 {
            self.hasher.update(&self.buffer);
            self.hasher.update(bytes);
            self.buffer.clear();
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }
}

impl Reader for Shasum {
    fn bytes(&mut self, label: &str, value: &[u8]) {
        self.buffer.push(VALUE);
        self.sized(label.as_bytes());
        self.sized(value);
    }

    fn open(&mut self, label: &str, count: usize) {
        self.buffer.push(GROUP);
        self.sized(label.as_bytes());
        self.buffer.extend_from_slice(&(count as u64).to_be_bytes());
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shasum(tell: impl FnOnce(&mut Shasum)) -> Digest {
        let mut shasum = Shasum::new();
        tell(&mut shasum);
        shasum.finish()
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let told = shasum(|reader| {
            reader.open("ab", 1);
            reader.text("c", "def");
            reader.close();
        });
        let bytes = b"cortado key 1\ng\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\x01v\0\0\0\0\0\0\0\x01c\0\0\0\0\0\0\0\x03def";
        assert_eq!(told, Digest::of(bytes));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let one = shasum(|reader| reader.list("x", ["ab", "c"].iter()));
        let other = shasum(|reader| reader.list("x", ["a", "bc"].iter()));
        let joined = shasum(|reader| reader.list("x", ["abc"].iter()));
        assert!(one != other && one != joined && other != joined);
    }

    #[test]
    fn long_values_count_like_short_ones() {
        let long = vec![b'x'; 100_000];
        let mut bytes = b"cortado key 1\nv\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend((long.len() as u64).to_be_bytes());
        bytes.extend(&long);
        assert_eq!(shasum(|reader| reader.bytes("", &long)), Digest::of(bytes));
    }
}
