//! A directory as it was at one moment: kinds, modes, times, contents and targets of links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything below a directory, by path.
pub(super) struct Snapshot(BTreeMap<PathBuf, Entry>);

#[derive(PartialEq)]
struct Entry {
    /// Kind and permissions.
    mode: u32,
    /// Seconds and nanoseconds; a directory that several tasks write into has none worth comparing.
    mtime: Option<(i64, i64)>,
    /// What is in a file, or where a link points to.
    content: Vec<u8>,
}

impl Snapshot {
    pub(super) fn of(root: &Path) -> Self {
        let mut entries = BTreeMap::new();
        let mut dirs = vec![root.to_path_buf()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let entry = Entry::of(&path);
                if entry.mtime.is_none() {
                    dirs.push(path.clone());
                }
                entries.insert(path.strip_prefix(root).unwrap().to_path_buf(), entry);
            }
        }
        Self(entries)
    }

    /// The paths that are not the same in both.
    pub(super) fn differences(&self, other: &Self) -> Vec<PathBuf> {
        let paths: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        paths.into_iter().filter(|path| self.0.get(*path) != other.0.get(*path)).cloned().collect()
    }

    /// The paths in whose content a path is found.
    pub(super) fn mentions(&self, path: &Path) -> Vec<PathBuf> {
        let wanted = path.as_os_str().as_bytes();
        let found = |entry: &Entry| entry.content.windows(wanted.len()).any(|bytes| bytes == wanted);
        self.0.iter().filter(|(_, entry)| found(entry)).map(|(path, _)| path.clone()).collect()
    }
}

impl Entry {
    fn of(path: &Path) -> Self {
        let about = fs::symlink_metadata(path).unwrap();
        let content = match about.file_type() {
            kind if kind.is_dir() => Vec::new(),
            kind if kind.is_symlink() => fs::read_link(path).unwrap().into_os_string().into_encoded_bytes(),
            _ => fs::read(path).unwrap(),
        };
        let mtime = (!about.is_dir()).then(|| (about.mtime(), about.mtime_nsec()));
        Self { mode: about.mode(), mtime, content }
    }
}
