//! A group: what there is of one task, one project or one protocol.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::Listed;

/// Writers that are remembered of a group.
const WRITERS: usize = 20;

/// Sums over some objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Group {
    pub(in crate::server) objects: u64,
    /// Bytes of their content.
    pub(in crate::server) bytes: u64,
    /// When one of them was last asked for.
    pub(in crate::server) used: Option<SystemTime>,
    /// When one of them was last put there.
    pub(in crate::server) stored: Option<SystemTime>,
    /// How many of them each writer has put there.
    pub(in crate::server) writers: BTreeMap<String, u64>,
    /// Whether there are more writers than that.
    pub(in crate::server) has_more_writers: bool,
}

impl Group {
    pub(super) fn add(&mut self, object: &Listed) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(object.size);
        self.used = self.used.max(object.used);
        self.stored = self.stored.max(object.stored);
        let Some(writer) = &object.provenance.writer else { return };
        if let Some(count) = self.writers.get_mut(writer) {
            *count += 1;
        } else if self.writers.len() < WRITERS {
            self.writers.insert(writer.clone(), 1);
        } else {
            self.has_more_writers = true;
        }
    }

    /// The writers, the busiest first.
    pub(in crate::server) fn by_work(&self) -> Vec<&str> {
        let mut writers: Vec<_> = self.writers.iter().collect();
        writers.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        writers.into_iter().map(|(name, _)| name.as_str()).collect()
    }
}
