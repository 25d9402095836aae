//! The inventory: what an unpacked tree holds, told by those who wrote it, so that nobody has to walk through it again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::host::layout::Layout;
use crate::host::listing::{Entry, Kind, bytes};

/// Collects what a [`Listing`](crate::host::listing::Listing) of the tree would hold.
#[derive(Default)]
pub(super) struct Inventory {
    entries: Vec<Entry>,
    /// Files with several names: each further name changes what was noted about the others.
    several: BTreeSet<PathBuf>,
}

impl Inventory {
    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(super) fn add_all(&mut self, entries: Vec<Entry>) {
        self.entries.extend(entries);
    }

    /// Notes `path` as another name of the file `target`.
    pub(super) fn add_name(&mut self, path: &Path, target: &Path) {
        self.several.extend([path.to_path_buf(), target.to_path_buf()]);
    }

    /// Looks again at the files that have several names, now that they have all of them.
    pub(super) fn settle_names(&mut self, layout: &Layout) -> Result<()> {
        let several = std::mem::take(&mut self.several);
        if !several.is_empty() {
            self.entries.retain(|entry| !several.contains(&entry.path));
        }
        for path in several {
            let place = layout.place(&path).unwrap_or_default();
            let found = fs::symlink_metadata(&place).map_err(Error::io("examine", &place))?;
            self.entries.push(Entry::of(path, Kind::File, &found));
        }
        Ok(())
    }

    /// Everything, in the order of a listing.
    pub(super) fn finish(mut self) -> Vec<Entry> {
        self.entries.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        self.entries
    }
}
