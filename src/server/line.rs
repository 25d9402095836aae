//! The line: a server's store with the upstream behind it.

use std::sync::Arc;

use super::event::Observer;
use super::known::Memory;
use super::metrics::Metrics;
use crate::{Store, Tier, Upstream};

/// Transfers at once each way, where the tier does not say how many it bears.
const TRANSFERS: usize = 32;

/// Both stores, and who is told what goes from one to the other.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) near: Arc<dyn Store>,
    pub(super) far: Arc<Upstream>,
    pub(super) memory: Arc<Memory>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) observer: Observer,
}

impl Line {
    /// How many transfers there are at once each way.
    pub(super) fn transfers(&self) -> usize {
        transfers(self.far.tier())
    }
}

/// How many transfers an upstream bears at once.
pub(super) fn transfers(tier: &Tier) -> usize {
    tier.how().concurrency.unwrap_or(TRANSFERS).max(1)
}
