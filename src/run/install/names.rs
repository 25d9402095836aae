//! The names of one file: hard links in place are those of the tree, no fewer and no more.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use crate::host::listing::Entry;

/// Which files in place stand for which files of a tree, as far as either has several names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By inode in the tree: device and inode of what stays in place for it, nothing if it is put there anew.
    in_place: HashMap<u64, Option<(u64, u64)>>,
    /// The other way round, of what stays.
    in_tree: HashMap<(u64, u64), u64>,
}

impl Names {
    /// Whether what is in place may stay for an entry of equal content.
    pub(super) fn agree(&mut self, entry: &Entry, found: &Metadata) -> bool {
        let (place, wanted) = ((found.dev(), found.ino()), entry.stat.inode);
        if !found.is_file() {
            return true;
        }
        if entry.stat.links > 1 && self.in_place.get(&wanted).is_some_and(|first| *first != Some(place)) {
            return false;
        }
        if found.nlink() > 1 && *self.in_tree.entry(place).or_insert(wanted) != wanted {
            return false;
        }
        if entry.stat.links > 1 {
            self.in_place.insert(wanted, Some(place));
        }
        true
    }

    /// The entry is put in place anew.
    pub(super) fn is_new(&mut self, entry: &Entry) {
        if entry.stat.links > 1 {
            self.in_place.entry(entry.stat.inode).or_insert(None);
        }
    }
}
