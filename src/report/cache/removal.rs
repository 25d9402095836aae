//! The removal: which artifacts went, or would go.

use serde::Serialize;

use super::tag;
use crate::report::JSON_FORMAT;
use crate::text;

/// Artifacts that were removed from a store, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removal {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The store's name.
    pub store: String,
    /// Whether nothing was removed in fact.
    pub dry_run: bool,
    /// The artifacts, in the order in which they went.
    pub removed: Vec<RemovedObject>,
    /// Their sizes together, in bytes.
    pub bytes: u64,
}

/// An artifact that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RemovedObject {
    /// Its tag.
    pub tag: String,
    /// Its size in bytes.
    pub size: u64,
}

impl Removal {
    /// The removal of objects, each by its name and size.
    pub fn new(store: impl Into<String>, dry_run: bool, objects: impl IntoIterator<Item = (String, u64)>) -> Self {
        let removed = objects.into_iter().map(|(name, size)| RemovedObject { tag: tag(&name).to_owned(), size });
        let removed: Vec<_> = removed.collect();
        let bytes = removed.iter().map(|object| object.size).sum();
        Self { format: JSON_FORMAT, store: store.into(), dry_run, removed, bytes }
    }

    /// The removal for people: all tags where it is only a wish, or `verbose`, and a line about the whole.
    pub fn text(&self, verbose: bool) -> String {
        let tags = self.removed.iter().filter(|_| self.dry_run || verbose);
        let tags: String = tags.map(|object| format!("{}\n", object.tag)).collect();
        let verb = if self.dry_run { "would remove" } else { "removed" };
        match self.removed.len() {
            0 => format!("{}: nothing to remove\n", self.store),
            count => {
                let (count, bytes) = (text::count(count, "artifact"), text::bytes(self.bytes));
                format!("{tags}{}: {verb} {count}, {bytes}\n", self.store)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_names_everything_and_a_deed_counts() {
        let objects = || [("shop-a-1.tar.gz".to_owned(), 1024), ("shop-b-2.tar.gz".to_owned(), 512)];
        let wish = Removal::new("local", true, objects());
        assert_eq!(wish.text(false), "shop-a-1\nshop-b-2\nlocal: would remove 2 artifacts, 1.5 KiB\n");
        assert_eq!(Removal::new("local", false, objects()).text(false), "local: removed 2 artifacts, 1.5 KiB\n");
        assert_eq!(Removal::new("local", false, []).text(true), "local: nothing to remove\n");
    }
}
