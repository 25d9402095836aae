//! A listing: what a directory tree holds, taken once by `lstat`, in one order that every reader agrees on.
//!
//! Packing, installing, sealing and the hashing of local sources all start from a listing, so that they see the same
//! entries in the same order. It never follows links and never opens a file; content is its readers' business.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Everything below a directory, sorted by the raw bytes of the path: parents come before their children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
}

/// One path of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the listed directory.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Permissions with setuid, setgid and sticky: at most `0o7777`.
    pub(crate) mode: u32,
    pub(crate) stat: Stat,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
    /// A symbolic link and the target written in it, which need not exist.
    Symlink(PathBuf),
    /// A `socket`, `fifo` or `device`.
    Special(&'static str),
}

/// By what a changed file betrays itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stat {
    /// In bytes.
    pub(crate) size: u64,
    /// Seconds since 1970, which may be negative, and nanoseconds.
    pub(crate) mtime: (i64, u32),
    /// Like `mtime`, of the last change to the inode.
    pub(crate) ctime: (i64, u32),
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many names the inode has.
    pub(crate) links: u64,
}

/// Says for a relative path, and whether a directory lies there, that it shall be left out.
pub(crate) type Exclude<'a> = &'a (dyn Fn(&Path, bool) -> bool + Sync);

impl Listing {
    /// Lists everything below `root`, without `root` itself.
    pub(crate) fn of(root: &Path) -> Result<Listing> {
        Self::of_filtered(root, &|_, _| false)
    }

    /// Lists what `exclude` does not leave out; an excluded directory goes with everything below it, unread.
    pub(crate) fn of_filtered(root: &Path, exclude: Exclude) -> Result<Listing> {
        let mut entries = below(root, Path::new(""), exclude)?;
        entries.par_sort_unstable_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        Ok(Listing { entries })
    }
}

impl Entry {
    /// A directory of which only path, mode and time are known: it need not be on this machine.
    pub(crate) fn nominal(path: PathBuf, mode: u32, mtime: (i64, u32)) -> Entry {
        Entry { path, kind: Kind::Directory, mode, stat: Stat { mtime, ..Stat::default() } }
    }

    /// Whether it is such a directory. No inode has the number 0.
    pub(crate) fn is_nominal(&self) -> bool {
        self.kind == Kind::Directory && self.stat.inode == 0
    }

    /// What `metadata` says of the path at which `kind` lies.
    pub(crate) fn of(path: PathBuf, kind: Kind, metadata: &Metadata) -> Entry {
        Entry { path, kind, mode: metadata.mode() & 0o7777, stat: Stat::of(metadata) }
    }
}

impl Stat {
    /// The part of `metadata` that betrays a change.
    pub(crate) fn of(metadata: &Metadata) -> Stat {
        Stat {
            size: metadata.size(),
            mtime: (metadata.mtime(), nanoseconds(metadata.mtime_nsec())),
            ctime: (metadata.ctime(), nanoseconds(metadata.ctime_nsec())),
            device: metadata.dev(),
            inode: metadata.ino(),
            links: metadata.nlink(),
        }
    }
}

/// A path as the bytes by which listings are sorted; `Path` itself compares by components, which is another order.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn nanoseconds(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn below(root: &Path, dir: &Path, exclude: Exclude) -> Result<Vec<Entry>> {
    let mut entries = children(root, dir, exclude)?;
    let directories: Vec<_> = entries.iter().filter(|entry| entry.kind == Kind::Directory).collect();
    // Waking the pool for a chain of single directories costs more than reading them.
    let deeper = match directories.as_slice() {
        [] => return Ok(entries),
        [only] => vec![below(root, &only.path, exclude)?],
        several => several.par_iter().map(|entry| below(root, &entry.path, exclude)).collect::<Result<Vec<_>>>()?,
    };
    // Trees are large: nothing is to be held twice, nor room for what does not come.
    entries.reserve_exact(deeper.iter().map(Vec::len).sum());
    deeper.into_iter().for_each(|mut deeper| entries.append(&mut deeper));
    Ok(entries)
}

fn children(root: &Path, dir: &Path, exclude: Exclude) -> Result<Vec<Entry>> {
    let place = join(root, dir);
    let mut entries = Vec::new();
    for child in fs::read_dir(&place).map_err(Error::io("list", &place))? {
        let child = child.map_err(Error::io("list", &place))?;
        let name = child.file_name();
        let mut path = PathBuf::with_capacity(bytes(dir).len() + 1 + name.len());
        path.extend([dir.as_os_str(), &name]);
        let is_dir = child.file_type().map_err(Error::io("examine", child.path()))?.is_dir();
        if !exclude(&path, is_dir) {
            let metadata = child.metadata().map_err(Error::io("examine", child.path()))?;
            entries.push(entry(root, path, &metadata)?);
        }
    }
    Ok(entries)
}

/// `root` alone for the empty path: `join("")` would add a slash to every message.
fn join(root: &Path, dir: &Path) -> PathBuf {
    if dir.as_os_str() == OsStr::new("") { root.to_path_buf() } else { root.join(dir) }
}

fn entry(root: &Path, path: PathBuf, metadata: &Metadata) -> Result<Entry> {
    let kind = kind(&root.join(&path), metadata)?;
    Ok(Entry::of(path, kind, metadata))
}

fn kind(place: &Path, metadata: &Metadata) -> Result<Kind> {
    let kind = metadata.file_type();
    Ok(match kind {
        _ if kind.is_file() => Kind::File,
        _ if kind.is_dir() => Kind::Directory,
        _ if kind.is_symlink() => Kind::Symlink(fs::read_link(place).map_err(Error::io("read the link", place))?),
        _ if kind.is_socket() => Kind::Special("socket"),
        _ if kind.is_fifo() => Kind::Special("fifo"),
        _ => Kind::Special("device"),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn paths(listing: &Listing) -> Vec<&str> {
        listing.entries.iter().map(|entry| entry.path.to_str().unwrap()).collect()
    }

    #[test]
    fn entries_come_in_the_order_of_their_bytes_with_parents_first() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        for name in ["a/b/c", "a-", "a.c", "a/Z"] {
            fs::write(root.path().join(name), name).unwrap();
        }
        assert_eq!(paths(&Listing::of(root.path()).unwrap()), ["a", "a-", "a.c", "a/Z", "a/b", "a/b/c"]);
    }

    #[test]
    fn every_kind_is_told_apart_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("dir")).unwrap();
        fs::write(at("file"), "12345").unwrap();
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o4750)).unwrap();
        fs::hard_link(at("file"), at("name")).unwrap();
        symlink("/nowhere", at("dangling")).unwrap();
        symlink("dir", at("to-dir")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();

        let listing = Listing::of(root.path()).unwrap();
        let kinds: Vec<_> = listing.entries.iter().map(|entry| entry.kind.clone()).collect();
        let expected = [
            Kind::Symlink("/nowhere".into()),
            Kind::Directory,
            Kind::File,
            Kind::File,
            Kind::Special("socket"),
            Kind::Symlink("dir".into()),
        ];
        assert_eq!(kinds, expected);
        let (file, name) = (&listing.entries[2], &listing.entries[3]);
        assert_eq!((file.mode, file.stat.size, file.stat.links), (0o4750, 5, 2));
        assert_eq!(file.stat, name.stat);
    }

    #[test]
    fn odd_names_are_names() {
        let root = tempfile::tempdir().unwrap();
        let names = [b"-rf".to_vec(), b"a\nb".to_vec(), b"caf\xe9".to_vec(), vec![b'n'; 255]];
        for name in &names {
            fs::write(root.path().join(OsString::from_vec(name.clone())), "").unwrap();
        }
        let listing = Listing::of(root.path()).unwrap();
        assert!(listing.entries.iter().map(|entry| bytes(&entry.path)).eq(names.iter().map(Vec::as_slice)));
    }

    #[test]
    fn an_excluded_directory_goes_with_all_that_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("src/.git/objects")).unwrap();
        fs::write(root.path().join("src/.gitignore"), "").unwrap();
        let no_git = |path: &Path, is_dir: bool| {
            assert!(!path.ends_with("objects"), "asked about a path below an excluded one");
            is_dir && path.ends_with(".git")
        };
        assert_eq!(paths(&Listing::of_filtered(root.path(), &no_git).unwrap()), ["src", "src/.gitignore"]);
    }

    #[test]
    fn a_missing_root_is_named() {
        let root = tempfile::tempdir().unwrap();
        let error = Listing::of(&root.path().join("gone")).unwrap_err().to_string();
        assert!(error.starts_with("could not list `") && error.contains("gone`: "), "{error}");
    }
}
