//! Metrics: counts and times, in the text format of OpenMetrics.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::reports::Reports;
use crate::Capacity;

/// The type of the text.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of times, in seconds: from what a small object takes to what a large one takes on a slow line.
const BOUNDS: [f64; 9] = [0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: String,
    method: String,
    status: u32,
}

/// How something ended that the upstream was asked for, or offered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    result: &'static str,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    sent: Counter,
    received: Counter,
    corrupt: Counter,
    running: Gauge,
    room: Room,
    asked: Family<Ending, Counter>,
    offered: Family<Ending, Counter>,
    /// What clients tell of themselves.
    pub(super) reports: Reports,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("cortado"),
            requests: Family::default(),
            seconds: Histogram::new(BOUNDS),
            sent: Counter::default(),
            received: Counter::default(),
            corrupt: Counter::default(),
            running: Gauge::default(),
            room: Room::default(),
            asked: Family::default(),
            offered: Family::default(),
            reports: Reports::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests that were answered", self.requests.clone());
        registry.register("request_seconds", "How long requests took, in seconds", self.seconds.clone());
        registry.register("sent_bytes", "Bytes of content that were sent", self.sent.clone());
        registry.register("received_bytes", "Bytes of content that were taken", self.received.clone());
        registry.register(
            "corrupt_objects",
            "Objects that were found to be corrupt and put aside",
            self.corrupt.clone(),
        );
        registry.register("requests_running", "Requests that are being answered", self.running.clone());
        registry.register("build", "What is running", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        self.room.register(registry);
        registry.register("upstream_requests", "Objects that the upstream was asked for", self.asked.clone());
        registry.register("upstream_offers", "Objects that the upstream was offered", self.offered.clone());
        self.reports.register(registry);
        self
    }

    pub(super) fn begin(&self) {
        self.running.inc();
    }

    pub(super) fn end(&self, route: &str, method: &str, status: u16, sent: u64, time: Duration) {
        self.running.dec();
        self.sent.inc_by(sent);
        self.seconds.observe(time.as_secs_f64());
        let labels = Labels { route: route.to_owned(), method: method.to_owned(), status: status.into() };
        self.requests.get_or_create(&labels).inc();
    }

    pub(super) fn received(&self, bytes: u64) {
        self.received.inc_by(bytes);
    }

    /// The upstream was asked for an object.
    pub(super) fn asked_upstream(&self, result: &'static str) {
        self.asked.get_or_create(&Ending { result }).inc();
    }

    /// The upstream was offered an object.
    pub(super) fn offered_upstream(&self, result: &'static str) {
        self.offered.get_or_create(&Ending { result }).inc();
    }

    pub(super) fn corrupt(&self) {
        self.corrupt.inc();
    }

    /// Somebody has asked how full the store is.
    pub(super) fn see(&self, capacity: &Capacity) {
        self.room.see(capacity);
    }

    /// All of it as text.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// How full the store is, as of the last time that somebody asked.
#[derive(Debug, Default)]
struct Room {
    size: Gauge,
    taken: Gauge,
    objects: Gauge,
    evicted: Counter,
    evicted_bytes: Counter,
}

impl Room {
    fn register(&self, registry: &mut Registry) {
        registry.register("store_size_bytes", "What the store may take", self.size.clone());
        registry.register("store_taken_bytes", "What is taken or reserved of that", self.taken.clone());
        registry.register("store_objects", "Objects in the store", self.objects.clone());
        registry.register("evicted_objects", "Objects that had to go for others", self.evicted.clone());
        registry.register("evicted_bytes", "What these took", self.evicted_bytes.clone());
    }

    fn see(&self, capacity: &Capacity) {
        let gauge = |gauge: &Gauge, value: u64| _ = gauge.set(value.try_into().unwrap_or(i64::MAX));
        gauge(&self.size, capacity.size);
        gauge(&self.taken, capacity.taken);
        gauge(&self.objects, capacity.objects.unwrap_or(0));
        self.evicted.inner().store(capacity.evicted, Ordering::Relaxed);
        self.evicted_bytes.inner().store(capacity.evicted_bytes, Ordering::Relaxed);
    }
}
