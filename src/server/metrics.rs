//! Metrics: counts and times, in the text format of OpenMetrics.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::auth::{Client, Role};
use super::problem::Problem;
use super::reports::Reports;
use super::site::Site;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The namespace of what belongs to no protocol, as rights name it.
const NAMESPACE: &str = "server";

/// Upper bounds of times, in seconds: from what a small object takes to what a large one takes on a slow line.
const BOUNDS: [f64; 9] = [0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: String,
    method: String,
    status: u32,
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

    pub(super) fn corrupt(&self) {
        self.corrupt.inc();
    }
}

/// `/metrics`.
pub(super) async fn metrics(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let mut text = String::new();
    encode(&mut text, &site.metrics.registry).map_err(|error| Problem::store_failed(&error.into()))?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}
