//! A tar to unpack, member by member.

use tar::{EntryType, Header};

use crate::host::pax;

/// A tar under construction, as wicked as one likes.
#[derive(Default)]
pub(super) struct Tar(pub(super) Vec<u8>);

impl Tar {
    pub(super) fn member(mut self, kind: EntryType, name: impl AsRef<[u8]>, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        let (old, name) = (header.as_old_mut(), name.as_ref());
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o6644 });
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, name: impl AsRef<[u8]>, content: &str) -> Self {
        self.member(EntryType::Regular, name, "", content.as_bytes())
    }

    pub(super) fn dir(self, name: &str) -> Self {
        self.member(EntryType::Directory, name, "", b"")
    }

    pub(super) fn symlink(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Symlink, name, target, b"")
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Link, name, target, b"")
    }

    pub(super) fn pax(mut self, records: &[(&str, &str)]) -> Self {
        let records: Vec<_> = records.iter().map(|(key, value)| (*key, value.as_bytes().to_vec())).collect();
        pax::write(&mut self.0, &records).unwrap();
        self
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}
