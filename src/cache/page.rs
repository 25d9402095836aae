//! The page: a part of a store's list, in an order that the next page goes on with.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::listed::{Listed, Objects};

/// The first objects behind a name, by name. There may be more of them than fit in memory; a page does.
pub(super) fn by_name(objects: Objects<'_>, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
    let mut first = BinaryHeap::new();
    for listed in objects {
        let listed = listed?;
        if after.is_none_or(|after| listed.name.as_str() > after) {
            first.push(ByName(listed));
            if first.len() > limit {
                first.pop();
            }
        }
    }
    Ok(first.into_sorted_vec().into_iter().map(|ByName(listed)| listed).collect())
}

struct ByName(Listed);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByName {}
