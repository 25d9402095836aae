//! Reports: what clients tell of hits and misses in their caches, counted.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Which cache is meant, and what became of a look into it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    tool: &'static str,
    cache: &'static str,
    outcome: &'static str,
}

/// Whose time was saved by which cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cache {
    tool: &'static str,
    cache: &'static str,
}

/// What clients have told so far.
#[derive(Debug, Default)]
pub(super) struct Reports {
    looks: Family<Labels, Counter>,
    saved: Family<Cache, Counter<f64, AtomicU64>>,
}

impl Reports {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("client_looks", "Looks into caches, as clients tell of them", self.looks.clone());
        registry.register(
            "client_saved_seconds",
            "Seconds that hits have saved, as clients tell of them",
            self.saved.clone(),
        );
    }

    /// A look into a cache found something, which took that long to make.
    pub(super) fn hit(&self, tool: &'static str, cache: &'static str, saved: Duration) {
        self.looks.get_or_create(&Labels { tool, cache, outcome: "hit" }).inc();
        self.saved.get_or_create(&Cache { tool, cache }).inc_by(saved.as_secs_f64());
    }

    /// A look into a cache found nothing.
    pub(super) fn miss(&self, tool: &'static str, cache: &'static str) {
        self.looks.get_or_create(&Labels { tool, cache, outcome: "miss" }).inc();
    }
}
