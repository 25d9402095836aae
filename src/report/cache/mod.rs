//! Reports about stores and what is in them.

mod finding_list;
mod object_list;
mod object_report;
mod removal;
mod stats;

pub use finding_list::FindingList;
pub use object_list::{ListedObject, ObjectList};
pub use object_report::ObjectReport;
pub use removal::{Removal, RemovedObject};
pub use stats::{CacheStats, StoreStats};

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::text;

/// Seconds since 1970, the way JSON has times.
fn seconds(time: Option<SystemTime>) -> Option<u64> {
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs())
}

/// How long ago something was: `3 min 2 s ago`, or nothing where that is not known.
fn ago(time: Option<u64>, now: SystemTime) -> String {
    let since = |time| now.duration_since(UNIX_EPOCH + Duration::from_secs(time)).unwrap_or_default();
    time.map(|time| format!("{} ago", text::duration(since(time)))).unwrap_or_default()
}

/// The tag of the artifact that an object is.
fn tag(name: &str) -> &str {
    name.strip_suffix(".tar.gz").unwrap_or(name)
}
