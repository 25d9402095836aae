//! The uploads: artifacts that are built and wait for a transfer slot to offer them to the cache.
//!
//! They lie packed in the work directory meanwhile, so the backlog is bounded: beyond it no worker takes up a new task.

use std::collections::VecDeque;

use super::handover::Offer;

/// The bytes that may wait before workers do.
const MOST: u64 = 4 << 30;

/// Artifacts on their way into the cache.
#[derive(Debug)]
pub(super) struct Uploads {
    waiting: VecDeque<(usize, Offer)>,
    left: usize,
    bytes: u64,
    most: u64,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), left: 0, bytes: 0, most: MOST }
    }
}

impl Uploads {
    /// Adds what the task at `position` has made.
    pub(super) fn add(&mut self, position: usize, offer: Offer) {
        self.left += 1;
        self.bytes += offer.size();
        self.waiting.push_back((position, offer));
    }

    /// The next one, for a transfer slot; it is left until it is [`done`](Self::done).
    pub(super) fn take(&mut self) -> Option<(usize, Offer)> {
        self.waiting.pop_front()
    }

    /// One of so many bytes is kept, or will never be.
    pub(super) fn done(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether so much is left that nothing more should be built.
    pub(super) fn are_full(&self) -> bool {
        self.bytes > self.most
    }

    /// How many wait for a transfer slot.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many are left, and their bytes, with those that are being offered now.
    pub(super) fn left(&self) -> (usize, u64) {
        (self.left, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Artifact;
    use crate::cache::artifact::Inner;
    use crate::model::Digest;

    fn offer(size: u64) -> Offer {
        let inner = Inner {
            name: "a".into(),
            tag: "shop-a-0".into(),
            filename: "shop-a-0.tar.gz".into(),
            path: tempfile::NamedTempFile::new().unwrap().into_temp_path(),
            digest: Digest::of(""),
            size,
            provenance: Default::default(),
            replace: false,
            tiers: Vec::new(),
            remarks: Default::default(),
        };
        Offer { artifact: Ok(Artifact::new(inner)), turn: None, debt: None, again: None }
    }

    #[test]
    fn a_backlog_is_full_until_what_fills_it_is_kept() {
        let mut uploads = Uploads { most: 100, ..Uploads::default() };
        uploads.add(7, offer(60));
        assert!(!uploads.are_full());
        uploads.add(8, offer(60));
        assert_eq!((uploads.are_full(), uploads.left(), uploads.waiting()), (true, (2, 120), 2));
        let (position, first) = uploads.take().unwrap();
        assert_eq!((position, uploads.are_full(), uploads.left()), (7, true, (2, 120)), "it lies there still");
        uploads.done(first.size());
        assert_eq!((uploads.are_full(), uploads.left(), uploads.waiting()), (false, (1, 60), 1));
    }

    #[test]
    fn what_could_not_be_packed_takes_no_room() {
        let mut uploads = Uploads::default();
        uploads.add(1, Offer { artifact: Err("it has a socket".into()), turn: None, debt: None, again: None });
        assert_eq!(uploads.left(), (1, 0));
    }
}
