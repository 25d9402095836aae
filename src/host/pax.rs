//! PAX extended headers (POSIX.1-2001): records of `length key=value` before a tar member, for what its header
//! cannot hold.
//!
//! Records are read by their length, never by their line ends: a value may hold a newline, as a file name may.

use std::io::{self, Write};

use tar::{EntryType, Header};

/// The name of the member that holds the records, for readers that know nothing of PAX (the one that Python uses).
const NAME: &[u8] = b"././@PaxHeader";

/// Writes an extended header with these records for the next member; nothing when there are none.
pub(crate) fn write(out: &mut impl Write, records: &[(&str, Vec<u8>)]) -> io::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..NAME.len()].copy_from_slice(NAME);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_entry_type(EntryType::XHeader);
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    out.write_all(&content)?;
    pad(out, content.len() as u64)
}

/// Fills the last block of `size` bytes of content with zeros.
pub(crate) fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let zeros = [0; 512];
    out.write_all(&zeros[..padding(size) as usize])
}

/// Bytes between `size` bytes of content and the next header.
pub(crate) fn padding(size: u64) -> u64 {
    size.wrapping_neg() % 512
}

/// The records of an extended header's content, in order; `None` when it is malformed.
pub(crate) fn parse(mut content: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    while !content.is_empty() {
        let space = content.iter().position(|byte| *byte == b' ')?;
        let length: usize = number(&content[..space])?;
        let (record, rest) = content.split_at_checked(length)?;
        let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        records.push((&record[..equals], &record[equals + 1..]));
        content = rest;
    }
    Some(records)
}

/// A decimal number without sign.
pub(crate) fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    digits.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    // The length counts its own digits.
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key.as_bytes(), b"=", value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record("path", b"x"), b"9 path=x\n");
        assert_eq!(record("a", b"b"), b"6 a=b\n");
        for size in [80, 90, 91, 92, 990, 991, 992, 993] {
            let record = record("path", &vec![b'x'; size]);
            assert!(record.starts_with(format!("{} ", record.len()).as_bytes()), "a value of {size} bytes");
        }
    }

    #[test]
    fn a_value_may_hold_anything() {
        let value = b"a=b\n10 path=x\n \xff".to_vec();
        let mut out = Vec::new();
        write(&mut out, &[("path", value.clone()), ("size", b"9".to_vec())]).unwrap();
        assert_eq!(out.len(), 1024);
        let size = Header::from_byte_slice(&out[..512]).entry_size().unwrap() as usize;
        let records = parse(&out[512..512 + size]).unwrap();
        assert_eq!(records, [(b"path".as_slice(), value.as_slice()), (b"size", b"9")]);
    }

    #[test]
    fn malformed_records_are_not_guessed_at() {
        for content in ["x", "5 a=b\n", "7 a=b\n", "6 a b\n", "-6 a=b\n", "99999999999999999999 a=b\n", "6 a=bx", "1 "]
        {
            assert_eq!(parse(content.as_bytes()), None, "{content:?}");
        }
        assert_eq!(parse(b""), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_makes_it_panic(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4),
            noise in prop::collection::vec(prop_oneof![Just(b' '), Just(b'='), Just(b'\n'), b'0'..=b'9', any::<u8>()], 0..60),
        ) {
            let content: Vec<u8> = values.iter().flat_map(|value| record("path", value)).collect();
            let expected: Vec<_> = values.iter().map(|value| (b"path".as_slice(), value.as_slice())).collect();
            prop_assert_eq!(parse(&content), Some(expected));
            for content in [noise.clone(), [content, noise].concat()] {
                for (key, value) in parse(&content).unwrap_or_default() {
                    prop_assert!(key.len() + value.len() < content.len());
                }
            }
        }
    }
}
