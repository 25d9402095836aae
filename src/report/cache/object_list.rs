//! The object list: artifacts of a store.

use std::time::SystemTime;

use serde::Serialize;

use super::{ago, seconds, tag};
use crate::cache::{Listed, Provenance};
use crate::report::JSON_FORMAT;
use crate::report::paint::{Ink, Paint};
use crate::report::table::{Cell, table};
use crate::text;

/// Artifacts of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ObjectList {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The store's name.
    pub store: String,
    /// The artifacts.
    pub objects: Vec<ListedObject>,
}

/// An artifact of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListedObject {
    /// Its tag.
    pub tag: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put there, in seconds since 1970.
    pub stored: Option<u64>,
    /// When it was last asked for, in seconds since 1970.
    pub used: Option<u64>,
    /// Whether it is never evicted.
    pub pinned: bool,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl ObjectList {
    /// The list of objects of that store, in the order in which they are given.
    pub fn new(store: impl Into<String>, objects: impl IntoIterator<Item = Listed>) -> Self {
        let objects = objects.into_iter().map(ListedObject::of).collect();
        Self { format: JSON_FORMAT, store: store.into(), objects }
    }

    /// The list for people, a line for each artifact and one for all.
    pub fn text(&self, now: SystemTime, paint: Paint) -> String {
        let rows: Vec<_> = self.objects.iter().map(|object| object.row(now)).collect();
        let bytes = self.objects.iter().map(|object| object.size).sum();
        let count = text::count(self.objects.len(), "artifact");
        format!("{}{}: {count}, {}\n", table(&rows, paint), self.store, text::bytes(bytes))
    }
}

impl ListedObject {
    pub(super) fn of(listed: Listed) -> Self {
        Self {
            tag: tag(&listed.name).to_owned(),
            size: listed.size,
            stored: seconds(listed.stored),
            used: seconds(listed.used),
            pinned: listed.pinned,
            provenance: listed.provenance,
        }
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        vec![
            (self.tag.clone(), Ink::Bold),
            (text::bytes(self.size), Ink::Plain),
            (ago(self.used.or(self.stored), now), Ink::Faint),
            (if self.pinned { "pinned".into() } else { String::new() }, Ink::Good),
        ]
    }
}
