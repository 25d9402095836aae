//! The tar header of one member, as cortado writes it: ustar, with a PAX header before it only for what does not fit.

use std::io::{self, Write};

use tar::{EntryType, Header};

use crate::host::pax;

/// The largest number that eleven octal digits hold: 8 GiB less one byte, or the year 2242.
const LARGEST: u64 = 0o777_7777_7777;

/// Everything that a header says. Owner and group are 0 and have no names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// Relative; a directory's ends with a slash.
    pub(super) name: &'a [u8],
    pub(super) kind: EntryType,
    /// What a symbolic or hard link points to; empty for others.
    pub(super) link: &'a [u8],
    pub(super) mode: u32,
    /// Bytes of content that follow.
    pub(super) size: u64,
    /// Seconds since 1970.
    pub(super) mtime: u64,
}

/// Writes the header of `member`.
pub(super) fn write(out: &mut impl Write, member: &Member) -> io::Result<()> {
    let mut header = Header::new_ustar();
    let mut records = Vec::new();
    if !set_name(&mut header, member.name) {
        records.push(("path", member.name.to_vec()));
    }
    if !fill(&mut header.as_old_mut().linkname, member.link) {
        records.push(("linkpath", member.link.to_vec()));
    }
    header.set_size(number("size", member.size, &mut records));
    header.set_mtime(number("mtime", member.mtime, &mut records));
    header.set_entry_type(member.kind);
    header.set_mode(member.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    pax::write(out, &records)?;
    out.write_all(header.as_bytes())
}

/// A number for the header: `value`, or 0 with a record where it does not fit.
fn number(key: &'static str, value: u64, records: &mut Vec<(&str, Vec<u8>)>) -> u64 {
    if value > LARGEST {
        records.push((key, value.to_string().into_bytes()));
        return 0;
    }
    value
}

/// Puts a name into the header, whole or split at a slash; false, with its beginning there, when it fits neither way.
fn set_name(header: &mut Header, name: &[u8]) -> bool {
    let Some(ustar) = header.as_ustar_mut() else { return false };
    if let Some((prefix, rest)) = split(name) {
        return fill(&mut ustar.prefix, prefix) && fill(&mut ustar.name, rest);
    }
    fill(&mut ustar.name, name)
}

/// The last slash by which prefix and name both fit, for a name that needs to be split.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return None;
    }
    let slashes = (1..name.len().min(156)).rev().filter(|at| name[*at] == b'/' && at + 1 < name.len());
    let at = slashes.into_iter().find(|at| name.len() - at - 1 <= 100)?;
    Some((&name[..at], &name[at + 1..]))
}

/// Copies as much as fits; false when that is not all.
fn fill(field: &mut [u8], value: &[u8]) -> bool {
    let count = value.len().min(field.len());
    field[..count].copy_from_slice(&value[..count]);
    count == value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &[u8]) -> Member<'_> {
        Member { name, kind: EntryType::Regular, link: b"", mode: 0o644, size: 0, mtime: 0 }
    }

    fn written(member: &Member) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, member).unwrap();
        out
    }

    #[test]
    fn a_name_is_split_rather_than_extended() {
        let at_edge = [vec![b'p'; 155], vec![b'n'; 100]].join(&b'/');
        for name in [vec![b'n'; 100], at_edge.clone(), [b"a/".repeat(50), vec![b'/']].concat()] {
            assert_eq!(written(&member(&name)).len(), 512);
        }
        let header = written(&member(&at_edge));
        assert_eq!(Header::from_byte_slice(&header).path_bytes(), at_edge.as_slice());
        for name in [vec![b'n'; 101], [vec![b'p'; 156], vec![b'n'; 10]].join(&b'/')] {
            assert_eq!(written(&member(&name)).len(), 512 + 512 + 512, "needs an extended header");
        }
    }

    #[test]
    fn a_size_beyond_8_gib_goes_into_an_extended_header() {
        assert_eq!(written(&Member { size: LARGEST, ..member(b"f") }).len(), 512);
        let large = written(&Member { size: LARGEST + 1, ..member(b"f") });
        assert_eq!(large[512..532], *b"19 size=8589934592\n\0");
        assert_eq!(Header::from_byte_slice(&large[1024..]).entry_size().unwrap(), 0);
    }

    #[test]
    fn a_long_link_goes_into_an_extended_header() {
        let target = vec![b't'; 101];
        let link = Member { kind: EntryType::Symlink, link: &target, ..member(b"l") };
        assert!(written(&link)[512..].starts_with(b"115 linkpath=ttt"));
    }
}
