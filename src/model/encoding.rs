//! The encoding under every digest that cortado takes of more than plain bytes: labelled values and counted groups,
//! written so that no two different lists of them give the same bytes. `docs/key.md` specifies it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::digest::Digest;

/// Hashes values and groups as they are told, without keeping them.
pub(crate) struct Encoder {
    hasher: Sha256,
    buffer: Box<[u8]>,
    /// Bytes in the buffer.
    filled: usize,
}

const VALUE: u8 = b'v';
const GROUP: u8 = b'g';
/// What fits into the buffer. A key is made of some sixty short pieces, which the hasher takes best all at once.
const FULL: usize = 4096;
/// Bytes of a kind and a length.
const BEGINNING: usize = 9;

impl Encoder {
    /// Begins with `magic`, which says what is encoded and in which version, and ends in a newline.
    pub(crate) fn new(magic: &str) -> Self {
        let mut encoder = Self { hasher: Sha256::new(), buffer: vec![0; FULL].into_boxed_slice(), filled: 0 };
        encoder.bytes(magic.as_bytes());
        encoder
    }

    /// A value under its label.
    #[inline]
    pub(crate) fn value(&mut self, label: &str, value: &[u8]) {
        self.begin(VALUE, label, value.len());
        self.bytes(value);
    }

    /// A group: the next `count` values and groups belong to it.
    #[inline]
    pub(crate) fn group(&mut self, label: &str, count: usize) {
        self.begin(GROUP, label, count);
    }

    /// The digest of everything told.
    pub(crate) fn finish(mut self) -> Digest {
        self.flush();
        Digest::finish(self.hasher)
    }

    /// The same, and begins anew with `magic`.
    pub(crate) fn next(&mut self, magic: &str) -> Digest {
        self.flush();
        let digest = Digest::finish(std::mem::take(&mut self.hasher));
        self.bytes(magic.as_bytes());
        digest
    }

    /// Kind, counted label, and a number.
    #[inline]
    fn begin(&mut self, kind: u8, label: &str, number: usize) {
        let (counted, number) = ((label.len() as u64).to_be_bytes(), (number as u64).to_be_bytes());
        let length = BEGINNING + label.len() + number.len();
        if length > FULL - self.filled {
            self.flush();
        }
        let Some(space) = self.buffer.get_mut(self.filled..self.filled.saturating_add(length)) else {
            return [&[kind], &counted[..], label.as_bytes(), &number].into_iter().for_each(|part| self.bytes(part));
        };
        let (beginning, space) = space.split_at_mut(BEGINNING);
        let (label_space, number_space) = space.split_at_mut(label.len());
        beginning[0] = kind;
        beginning[1..].copy_from_slice(&counted);
        label_space.copy_from_slice(label.as_bytes());
        number_space.copy_from_slice(&number);
        self.filled += length;
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > FULL - self.filled {
            self.flush();
        }
        match self.buffer.get_mut(self.filled..self.filled.saturating_add(bytes.len())) {
            Some(space) => {
                space.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.hasher.update(bytes),
        }
    }

    fn flush(&mut self) {
        self.hasher.update(self.buffer.get(..self.filled).unwrap_or_default());
        self.filled = 0;
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
        for length in [0, 1, FULL - 20, FULL - 19, FULL - 18, FULL - 17, FULL - 1, FULL, FULL + 1, 100_000] {
            let value = vec![b'x'; length];
            let mut bytes = b"m\nv\0\0\0\0\0\0\0\0".to_vec();
            bytes.extend((length as u64).to_be_bytes());
            bytes.extend(&value);
            assert_eq!(encode(|encoder| encoder.value("", &value)), Digest::of(bytes), "{length}");
        }
    }

    #[test]
    fn labels_of_every_length_arrive_whole() {
        for length in [0, 1, FULL - 20, FULL - 19, FULL - 18, FULL - 17, FULL - 1, FULL, FULL + 1, 100_000] {
            let label = "x".repeat(length);
            let mut bytes = b"m\ng".to_vec();
            bytes.extend((length as u64).to_be_bytes());
            bytes.extend(label.as_bytes());
            bytes.extend(7u64.to_be_bytes());
            assert_eq!(encode(|encoder| encoder.group(&label, 7)), Digest::of(bytes), "{length}");
        }
    }
}
