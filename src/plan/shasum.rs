//! The shasum: SHA-256 over the list of fields.
//!
//! `docs/key.md` specifies it byte for byte; the golden vectors in `tests/it/key/vectors.json` pin it.

use super::reader::Reader;
use crate::model::{Digest, Encoder};

/// The version of the key's format. It is the first thing hashed: a change to what counts gives it a new number, and
/// every key with it.
pub const KEY_FORMAT: u32 = 1;

const MAGIC: &str = "cortado key 1\n";

/// Hashes the fields that it is told.
pub(super) struct Shasum {
    encoder: Encoder,
}

impl Shasum {
    pub(super) fn new() -> Self {
        Self { encoder: Encoder::new(MAGIC) }
    }

    /// The key of everything told. What is told next belongs to another one.
    pub(super) fn next(&mut self) -> Digest {
        self.encoder.next(MAGIC)
    }
}

impl Reader for Shasum {
    #[inline]
    fn bytes(&mut self, label: &str, value: &[u8]) {
        self.encoder.value(label, value);
    }

    #[inline]
    fn open(&mut self, label: &str, count: usize) {
        self.encoder.group(label, count);
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_first_thing_hashed() {
        assert_eq!(MAGIC, format!("cortado key {KEY_FORMAT}\n"));
    }
}
