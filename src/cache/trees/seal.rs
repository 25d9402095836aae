//! The seal of a tree: what was in it when it was finished.
//!
//! The file is the line `cortado seal 2`, then one frame of the [codec](crate::cache::codec): a flag and the artifact's
//! digest, the [top](Layout) of its layout, the entry of its own directory, and the counted entries in the order of a
//! listing. An entry is its path, kind (`d`, `f`, `l` and the target), mode, size, mtime, ctime, device, inode and link
//! count. A directory with the inode 0 need not be there, and nobody looks at it: it leads to the install directory. A
//! seal that cannot be read, or of another version, is no seal: the tree is made again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cache::codec::{Reader, Writer, append_frame};
use crate::error::{Error, Result};
use crate::host::layout::Layout;
use crate::host::listing::{Entry, Kind, Stat};
use crate::host::many;
use crate::model::Digest;

const HEADER: &[u8] = b"cortado seal 2\n";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) digest: Option<Digest>,
    /// What the tree's own directory stands for.
    pub(super) top: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// The tree's own directory, under the empty path: its time tells of entries that came or went.
    root: Entry,
}

impl Seal {
    /// The seal of a tree at its final place.
    pub(super) fn of(layout: &Layout, entries: Vec<Entry>, digest: Option<Digest>) -> Result<Seal> {
        let found = fs::symlink_metadata(&layout.dir).map_err(Error::io("look at", &layout.dir))?;
        let root = Entry::of(PathBuf::new(), Kind::Directory, &found);
        Ok(Seal { digest, top: layout.top.clone(), entries, root })
    }

    pub(super) fn read(path: &Path) -> Result<Option<Seal>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Seal::parse(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", path)(error)),
        }
    }

    /// Writes it under its name at once, where there must be none: half a seal does not parse, so it is none.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = HEADER.to_vec();
        let written = append_frame(&mut bytes, |content| {
            content.number(self.digest.is_some().into());
            if let Some(digest) = &self.digest {
                content.digest(digest);
            }
            content.path(&self.top);
            write_entry(content, &self.root);
            content.number(self.entries.len() as u64);
            self.entries.iter().for_each(|entry| write_entry(content, entry));
        });
        written.ok_or_else(|| Error::io("write", path)(ErrorKind::FileTooLarge.into()))?;
        let write = |mut file: File| file.write_all(&bytes);
        File::create_new(path).and_then(write).map_err(Error::io("write", path))
    }

    /// How the tree that lies there differs from what was sealed, if it does.
    pub(super) fn damage(&self, layout: &Layout) -> Option<String> {
        let root = difference(&self.root, &layout.dir).map(|what| format!("the tree {what}"));
        root.or_else(|| {
            many::find_first(&self.entries, |entry| {
                let what = match layout.place(&entry.path) {
                    _ if entry.is_nominal() => return None,
                    Some(place) => difference(entry, &place)?,
                    None => "is gone",
                };
                Some(format!("`{}` {what}", entry.path.display()))
            })
        })
    }

    fn parse(bytes: &[u8]) -> Option<Seal> {
        let mut file = Reader::new(bytes.strip_prefix(HEADER)?);
        let mut content = Reader::new(file.frame()?);
        let digest = if content.number()? == 0 { None } else { Some(content.digest()?) };
        let top = content.path()?;
        let root = read_entry(&mut content)?;
        let entries = content.list(read_entry)?;
        Some(Seal { digest, top, entries, root })
    }
}

/// Times of directories count, since they tell of names that came or went; their sizes do not.
fn difference(sealed: &Entry, path: &Path) -> Option<&'static str> {
    let Ok(found) = fs::symlink_metadata(path) else { return Some("is gone") };
    let now = Stat::of(&found);
    let same_kind = match sealed.kind {
        Kind::Directory => found.is_dir(),
        Kind::File => found.is_file() && now.size == sealed.stat.size,
        Kind::Symlink(_) => found.is_symlink(),
        Kind::Special(_) => false,
    };
    let same = same_kind && now.inode == sealed.stat.inode && now.mtime == sealed.stat.mtime;
    match found.mode() & 0o7777 == sealed.mode {
        true if same => None,
        false if same => Some("has another mode"),
        _ => Some("was changed"),
    }
}

fn write_entry(writer: &mut Writer, entry: &Entry) {
    writer.path(&entry.path);
    let target = match &entry.kind {
        Kind::Symlink(target) => Some(target),
        _ => None,
    };
    let kind = match entry.kind {
        Kind::Directory => b'd',
        Kind::Symlink(_) => b'l',
        Kind::File | Kind::Special(_) => b'f',
    };
    writer.number(kind.into());
    if let Some(target) = target {
        writer.path(target);
    }
    let Stat { size, mtime, ctime, device, inode, links } = entry.stat;
    writer.number(entry.mode.into()).number(size).time(mtime).time(ctime).number(device).number(inode).number(links);
}

fn read_entry(reader: &mut Reader<'_>) -> Option<Entry> {
    let path = reader.path()?;
    let kind = match u8::try_from(reader.number()?).ok()? {
        b'd' => Kind::Directory,
        b'f' => Kind::File,
        b'l' => Kind::Symlink(reader.path()?),
        _ => return None,
    };
    let mode = u32::try_from(reader.number()?).ok()?;
    let stat = Stat {
        size: reader.number()?,
        mtime: reader.time()?,
        ctime: reader.time()?,
        device: reader.number()?,
        inode: reader.number()?,
        links: reader.number()?,
    };
    Some(Entry { path, kind, mode, stat })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::codec::frame;

    proptest! {
        #[test]
        fn a_seal_made_of_anything_is_read_without_harm(bytes: Vec<u8>) {
            prop_assert_eq!(Seal::parse(&bytes), None);
            let _ = Seal::parse(&[HEADER, &frame(&bytes).unwrap()].concat());
        }
    }
}
