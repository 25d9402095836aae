//! The statistics: how full stores are, and what they were good for.

use std::time::Duration;

use serde::Serialize;

use crate::cache::{Counts, Statistics, Usage};
use crate::report::JSON_FORMAT;
use crate::report::paint::{Ink, Paint};
use crate::report::table::{Cell, table};
use crate::text;

/// The statistics of all stores of a project.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The stores, nearest first.
    pub stores: Vec<StoreStats>,
    /// What was counted in all runs of this user, by tier and by task.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// All tiers together.
    pub total: Counts,
}

/// How full a store is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreStats {
    /// Its name.
    pub name: String,
    /// Where it is, without credentials.
    pub place: String,
    /// How full it is, where it knows.
    pub usage: Option<Usage>,
    /// Why it could not be asked.
    pub error: Option<String>,
}

impl CacheStats {
    /// What is known about stores, and what was counted.
    pub fn new(stores: Vec<StoreStats>, statistics: Statistics) -> Self {
        let total = statistics.total();
        Self { format: JSON_FORMAT, stores, statistics, total }
    }

    /// The statistics for people.
    pub fn text(&self, paint: Paint) -> String {
        let mut text: String = self.stores.iter().map(|store| store.text(paint)).collect();
        let runs = text::count(usize::try_from(self.statistics.runs).unwrap_or(usize::MAX), "run");
        text.push_str(&format!("in {runs}:\n"));
        let tiers = self.statistics.tiers.iter().map(|(name, counts)| row(name, counts));
        let rows: Vec<_> = [heading()].into_iter().chain(tiers).collect();
        text.push_str(&table(&rows, paint));
        for (name, counts) in &self.statistics.tiers {
            text.push_str(&troubles(name, counts));
        }
        text
    }
}

impl StoreStats {
    /// What is known about a store; an error where it could not be asked.
    pub fn new(name: impl Into<String>, place: impl Into<String>, usage: Result<Option<Usage>, String>) -> Self {
        let (usage, error) = match usage {
            Ok(usage) => (usage, None),
            Err(error) => (None, Some(error)),
        };
        Self { name: name.into(), place: place.into(), usage, error }
    }

    fn text(&self, paint: Paint) -> String {
        let fullness = match (&self.usage, &self.error) {
            (_, Some(error)) => format!("  {} {error}\n", paint.text(Ink::Bad, "error:")),
            (Some(usage), None) => format!("  {}\n", fullness(usage)),
            (None, None) => String::new(),
        };
        format!("{}: {}\n{fullness}", paint.text(Ink::Bold, &self.name), self.place)
    }
}

fn fullness(usage: &Usage) -> String {
    let artifacts = text::count(usize::try_from(usage.objects).unwrap_or(usize::MAX), "artifact");
    let pinned = if usage.pinned > 0 { format!(", {} pinned", usage.pinned) } else { String::new() };
    let (used, size) = (text::bytes(usage.used), text::bytes(usage.size));
    let worth = Duration::try_from_secs_f64(usage.build_seconds).unwrap_or_default();
    format!("{artifacts}{pinned}, {used} of {size}, worth {} of building", text::duration(worth))
}

fn heading() -> Vec<Cell> {
    let names = ["tier", "asked", "hits", "misses", "read", "kept", "written", "saved"];
    names.map(|name| (name.to_owned(), Ink::Faint)).to_vec()
}

fn row(name: &str, counts: &Counts) -> Vec<Cell> {
    vec![
        (name.to_owned(), Ink::Bold),
        (counts.requests.to_string(), Ink::Plain),
        (counts.hits.to_string(), Ink::Good),
        (counts.misses.total().to_string(), Ink::Plain),
        (text::bytes(counts.bytes_read), Ink::Plain),
        (counts.writes.to_string(), Ink::Plain),
        (text::bytes(counts.bytes_written), Ink::Plain),
        (text::duration(counts.saved), Ink::Plain),
    ]
}

/// What went wrong with a tier, if anything did.
fn troubles(name: &str, counts: &Counts) -> String {
    let misses = &counts.misses;
    let kinds = [
        (misses.corrupt, "corrupt"),
        (misses.untrusted, "not trusted"),
        (misses.timed_out, "timed out"),
        (misses.refused, "refused"),
        (misses.read_errors, "read errors"),
        (misses.skipped, "skipped, since it had failed"),
        (counts.write_errors, "write errors"),
        (counts.declined, "declined"),
    ];
    let told: Vec<_> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() { String::new() } else { format!("{name}: {}\n", told.join(", ")) }
}
