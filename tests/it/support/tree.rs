//! How a directory tree looks: everything that a copy of it has to have.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is at one path. Times of directories are left out: installing sets none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Directory {
        mode: u32,
    },
    /// `twin` is the first path with the same inode.
    File {
        mode: u32,
        mtime: i64,
        content: String,
        twin: Option<PathBuf>,
    },
    Symlink {
        mtime: i64,
        target: PathBuf,
    },
    Special,
}

impl Look {
    pub(crate) fn is_dir(&self) -> bool {
        matches!(self, Look::Directory { .. })
    }
}

/// Everything below `root`, by path.
pub(crate) fn look(root: &Path) -> BTreeMap<PathBuf, Look> {
    let mut found = BTreeMap::new();
    let mut first = BTreeMap::new();
    let mut queue = vec![root.to_path_buf()];
    while let Some(dir) = queue.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let below = path.strip_prefix(root).unwrap().to_path_buf();
            if metadata.is_dir() {
                queue.push(path.clone());
            }
            let twin = first.entry(metadata.ino()).or_insert_with(|| below.clone()).clone();
            found.insert(below.clone(), of(&path, &metadata, Some(twin).filter(|twin| *twin != below)));
        }
    }
    found
}

fn of(path: &Path, metadata: &fs::Metadata, twin: Option<PathBuf>) -> Look {
    let (mode, mtime) = (metadata.mode() & 0o7777, metadata.mtime());
    match metadata.file_type() {
        kind if kind.is_dir() => Look::Directory { mode },
        kind if kind.is_symlink() => Look::Symlink { mtime, target: fs::read_link(path).unwrap() },
        kind if kind.is_file() => Look::File { mode, mtime, content: content(path), twin },
        _ => Look::Special,
    }
}

/// What is in a file, or its digest where that is long.
fn content(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if bytes.len() > 200 { cortado::Digest::of(bytes).to_string() } else { bytes.escape_ascii().to_string() }
}
