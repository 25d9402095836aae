//! The encoding under every digest that cortado takes of more than plain bytes: labelled values and counted groups,
//! written so that no two different lists of them give the same bytes. `docs/key.md` specifies it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::digest::Digest;

/// Hashes values and groups as they are told, without keeping them.
pub(crate) struct Encoder {
    hasher: Sha256,
    buffer: Vec<u8>,
}

const VALUE: u8 = b'v';
const GROUP: u8 = b'g';
/// The buffer is handed to the hasher before it grows past this.
const FULL: usize = 4096;

impl Encoder {
    /// Begins with `magic`, which says what is encoded and in which version, and ends in a newline.
    pub(crate) fn new(magic: &str) -> Self {
        let mut buffer = Vec::with_capacity(FULL);
        buffer.extend_from_slice(magic.as_bytes());
        Self { hasher: Sha256::new(), buffer }
    }

    /// A value under its label.
    pub(crate) fn value(&mut self, label: &str, value: &[u8]) {
        self.begin(VALUE, label);
        self.number(value.len());
        self.bytes(value);
    }

    /// A group: the next `count` values and groups belong to it.
    pub(crate) fn group(&mut self, label: &str, count: usize) {
        self.begin(GROUP, label);
        self.number(count);
    }

    /// The digest of everything told.
    pub(crate) fn finish(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        Digest::finish(self.hasher)
    }

    fn begin(&mut self, kind: u8, label: &str) {
        let [a, b, c, d, e, f, g, h] = (label.len() as u64).to_be_bytes();
        self.bytes(&[kind, a, b, c, d, e, f, g, h]);
        self.bytes(label.as_bytes());
    }

    fn number(&mut self, number: usize) {
        self.bytes(&(number as u64).to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() <= FULL {
            self.buffer.extend_from_slice(bytes);
            return;
        }
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        if bytes.len() < FULL {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.hasher.update(bytes);
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(tell: impl FnOnce(&mut Encoder)) -> Digest {
        let mut encoder = Encoder::new("m\n");
        tell(&mut encoder);
        encoder.finish()
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let told = encode(|encoder| {
            encoder.group("ab", 1);
            encoder.value("c", b"def");
        });
        let bytes = b"m\ng\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\x01v\0\0\0\0\0\0\0\x01c\0\0\0\0\0\0\0\x03def";
        assert_eq!(told, Digest::of(bytes));
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let list =
            |values: &[&str]| encode(|encoder| values.iter().for_each(|value| encoder.value("", value.as_bytes())));
        let lists = [list(&["ab", "c"]), list(&["a", "bc"]), list(&["abc"]), list(&["abc", ""]), list(&[])];
        let different: std::collections::HashSet<_> = lists.iter().collect();
        assert_eq!(different.len(), lists.len());
    }

    #[test]
    fn values_of_every_length_arrive_whole() {
        for length in [0, 1, FULL - 18, FULL - 17, FULL - 1, FULL, FULL + 1, 100_000] {
            let value = vec![b'x'; length];
            let mut bytes = b"m\nv\0\0\0\0\0\0\0\0".to_vec();
            bytes.extend((length as u64).to_be_bytes());
            bytes.extend(&value);
            assert_eq!(encode(|encoder| encoder.value("", &value)), Digest::of(bytes), "{length}");
        }
    }
}
