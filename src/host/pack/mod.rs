//! Packing: a directory tree in, an artifact out, as `docs/format.md` describes it. Equal trees give equal bytes.
//!
//! Nothing is held but the listing and the blocks under way: files are read, hashed and compressed as one stream.
//! What an artifact cannot carry (sockets, devices, extended attributes) is refused by name, never dropped.

mod header;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tar::EntryType;

use self::header::Member;
use crate::error::{Error, Result, errno};
use crate::host::layout::Layout;
use crate::host::listing::{Entry, Kind, Stat, bytes};
use crate::host::{gzip, pax};
use crate::model::{Digest, Signature};

/// How to pack.
#[derive(Clone)]
pub(crate) struct PackOptions<'a> {
    /// The time that every member bears, in seconds since 1970: `SOURCE_DATE_EPOCH`.
    pub(crate) mtime: u64,
    /// 1 (fast) to 12 (small).
    pub(crate) level: u32,
    /// Compressing threads; 0 for one per core.
    pub(crate) threads: usize,
    /// The digest of the tag that it is for.
    pub(crate) tag: Option<Digest>,
    /// Vouches for the content with a digest.
    pub(crate) sign: Option<&'a dyn Fn(&Digest) -> Signature>,
}

impl Default for PackOptions<'_> {
    fn default() -> Self {
        Self { mtime: 0, level: 1, threads: 0, tag: None, sign: None }
    }
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed {
    /// SHA-256 of the uncompressed tar: the artifact's identity.
    pub(crate) digest: Digest,
    /// Bytes of the artifact.
    pub(crate) packed_size: u64,
    /// Bytes of the uncompressed tar.
    pub(crate) unpacked_size: u64,
    /// Paths in it.
    pub(crate) entries: usize,
}

/// Packs `entries`, the listing of a tree that lies as `tree` says, into `out`.
///
/// Fails on what an artifact cannot carry, and on a file that has changed since it was listed; `out` is then worthless.
pub(crate) fn pack(
    tree: &Layout,
    entries: &[Entry],
    out: &mut impl Write,
    options: &PackOptions<'_>,
) -> Result<Packed> {
    let writer = gzip::Writer::new(out, options.level, options.threads).map_err(Error::io("pack", &tree.dir))?;
    let writer = writer.made_for(options.tag);
    let mut packer = Packer { tree, tar: writer, names: HashMap::new(), mtime: options.mtime, buffer: Vec::new() };
    for entry in entries {
        packer.add(entry)?;
    }
    let written = packer.finish(options)?;
    Ok(Packed {
        digest: written.digest,
        packed_size: written.packed_size,
        unpacked_size: written.unpacked_size,
        entries: entries.len(),
    })
}

/// Bytes read at once.
const BUFFER: usize = 128 * 1024;

/// The two blocks of zeros that end a tar.
const END: [u8; 1024] = [0; 1024];

struct Packer<'a, W: Write> {
    tree: &'a Layout,
    tar: gzip::Writer<W>,
    /// The first name of every file with several, by device and inode.
    names: HashMap<(u64, u64), &'a Path>,
    mtime: u64,
    buffer: Vec<u8>,
}

impl<'a, W: Write> Packer<'a, W> {
    fn add(&mut self, entry: &'a Entry) -> Result<()> {
        match &entry.kind {
            Kind::Directory => self.add_directory(entry),
            Kind::Symlink(target) => self.add_link(entry, EntryType::Symlink, target),
            Kind::File => match self.first_name(entry) {
                Some(first) => self.add_link(entry, EntryType::Link, first),
                None => self.add_file(entry),
            },
            Kind::Special(kind) => Err(self.refuse(entry, format!("is a {kind}, which an artifact cannot carry"))),
        }
    }

    /// The name under which the file is in the tar already.
    fn first_name(&mut self, entry: &'a Entry) -> Option<&'a Path> {
        if entry.stat.links == 1 {
            return None;
        }
        let first = *self.names.entry((entry.stat.device, entry.stat.inode)).or_insert(&entry.path);
        (first != entry.path).then_some(first)
    }

    fn add_directory(&mut self, entry: &Entry) -> Result<()> {
        if let Some(place) = self.tree.place(&entry.path) {
            self.check_attributes(entry, |list| rustix::fs::llistxattr(&place, list))?;
        }
        let name = [bytes(&entry.path), b"/"].concat();
        self.write_header(entry, Member { name: &name, ..self.member(entry, EntryType::Directory) })
    }

    fn add_link(&mut self, entry: &Entry, kind: EntryType, target: &Path) -> Result<()> {
        self.write_header(entry, Member { link: bytes(target), ..self.member(entry, kind) })
    }

    fn add_file(&mut self, entry: &Entry) -> Result<()> {
        let place = self.tree.place(&entry.path).ok_or_else(|| self.refuse(entry, "lies nowhere".into()))?;
        let file = open(&place).map_err(Error::io("open", &place))?;
        self.check_attributes(entry, |list| rustix::fs::flistxattr(file.as_fd(), list))?;
        let size = entry.stat.size;
        self.write_header(entry, Member { size, ..self.member(entry, EntryType::Regular) })?;
        self.copy(entry, &file, &place)?;
        pax::pad(&mut self.tar, size).map_err(|error| self.broken(&error))
    }

    /// Copies the file's content, which has to be as long as its header said, to the byte.
    fn copy(&mut self, entry: &Entry, mut file: &File, place: &Path) -> Result<()> {
        let mut left = entry.stat.size;
        let wanted = BUFFER.min(usize::try_from(left).unwrap_or(BUFFER));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while left > 0 {
            let count = file.read(&mut self.buffer).map_err(Error::io("read", place))?;
            left = left.checked_sub(count as u64).filter(|_| count > 0).ok_or_else(|| self.changed(entry))?;
            self.tar.write_all(&self.buffer[..count]).map_err(|error| self.broken(&error))?;
        }
        let metadata = file.metadata().map_err(Error::io("examine", place))?;
        let now = Stat::of(&metadata);
        let same = (now.size, now.mtime, now.inode) == (entry.stat.size, entry.stat.mtime, entry.stat.inode);
        if same { Ok(()) } else { Err(self.changed(entry)) }
    }

    fn member<'m>(&self, entry: &'m Entry, kind: EntryType) -> Member<'m> {
        Member { name: bytes(&entry.path), kind, link: b"", mode: entry.mode, size: 0, mtime: self.mtime }
    }

    fn write_header(&mut self, entry: &Entry, member: Member) -> Result<()> {
        debug_assert!(!entry.path.is_absolute());
        header::write(&mut self.tar, &member).map_err(|error| self.broken(&error))
    }

    fn finish(mut self, options: &PackOptions<'_>) -> Result<gzip::Written> {
        let end = self.tar.write_all(&END);
        let sign = |digest: &Digest| options.sign.map(|sign| sign(digest));
        end.and_then(|()| self.tar.finish(sign)).map_err(|error| broken(&self.tree.dir, &error))
    }

    /// Refuses what would be lost: capabilities, ACLs and the user's own attributes.
    ///
    /// Attributes that the system gives to every file by itself, such as SELinux labels, are no part of an artifact.
    fn check_attributes(
        &self,
        entry: &Entry,
        list: impl FnOnce(&mut [u8; 4096]) -> rustix::io::Result<usize>,
    ) -> Result<()> {
        let mut names = [0; 4096];
        let count = match list(&mut names) {
            Ok(count) => count,
            Err(Errno::NOTSUP) => 0,
            Err(Errno::RANGE) => return Err(self.refuse(entry, "has too many extended attributes".into())),
            Err(error) => {
                return Err(Error::io("list the attributes of", self.tree.dir.join(&entry.path))(errno(error)));
            }
        };
        match names[..count].split(|byte| *byte == 0).find(|name| is_content(name)) {
            None => Ok(()),
            Some(name) => {
                let name = String::from_utf8_lossy(name);
                let problem = format!("has the extended attribute `{name}`, which an artifact cannot carry");
                Err(self.refuse(entry, problem))
            }
        }
    }

    fn changed(&self, entry: &Entry) -> Error {
        self.refuse(entry, "changed while it was packed".into())
    }

    fn refuse(&self, entry: &Entry, problem: String) -> Error {
        let problem = format!("`{}` {problem}", entry.path.display());
        Error::Archive { archive: self.tree.dir.display().to_string(), problem }
    }

    fn broken(&self, error: &io::Error) -> Error {
        broken(&self.tree.dir, error)
    }
}

fn broken(root: &Path, error: &io::Error) -> Error {
    Error::Archive { archive: root.display().to_string(), problem: format!("could not be written: {error}") }
}

fn open(place: &Path) -> io::Result<File> {
    // A fifo that took the file's place meanwhile would block an ordinary open.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(place, flags, Mode::empty())?))
}

fn is_content(attribute: &[u8]) -> bool {
    attribute == b"security.capability"
        || attribute.starts_with(b"user.")
        || attribute.starts_with(b"system.posix_acl_")
}
