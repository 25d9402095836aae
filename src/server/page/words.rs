//! Words: numbers and times as people read them, as filters of templates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use minijinja::{Environment, Value};

use crate::server::history::now;
use crate::text;

/// Adds the filters.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("bytes", text::bytes);
    environment.add_filter("count", count);
    environment.add_filter("percent", percent);
    environment.add_filter("ago", |time: u64| ago(time, now()));
    environment.add_filter("since", |seconds: u64| ago(0, seconds));
    environment.add_filter("iso", iso);
    environment.add_filter("minute", minute);
    environment.add_filter("took", took);
}

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `97.3 %`; an en dash where there is nothing to count. What is not all is never called 100 %, nor what is some 0 %.
fn percent(part: Value) -> String {
    let Ok(part) = f64::try_from(part) else { return "–".into() };
    match part * 100.0 {
        all if all >= 100.0 => "100 %".into(),
        none if none <= 0.0 => "0 %".into(),
        some => format!("{:.1} %", some.clamp(0.1, 99.9)),
    }
}

/// How long ago a time was: `3 min ago`.
fn ago(time: u64, now: u64) -> String {
    match now.saturating_sub(time) {
        0..10 => "just now".into(),
        seconds @ 10..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", count(seconds / 86_400)),
    }
}

/// `2026-11-20T13:00:00Z`.
fn iso(time: u64) -> String {
    let known = i64::try_from(time).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    known.map(|time| time.to_string()).unwrap_or_default()
}

/// `2026-11-20 13:00`.
fn minute(time: u64) -> String {
    iso(time).get(..16).unwrap_or_default().replace('T', " ")
}

/// A duration in seconds.
fn took(seconds: f64) -> String {
    text::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Seconds since 1970.
pub(super) fn seconds(time: Option<SystemTime>) -> Option<u64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_naturally() {
        assert_eq!([0, 12, 123, 1234, 1_234_567].map(count), ["0", "12", "123", "1,234", "1,234,567"]);
        let parts = [Some(0.973), Some(1.0), Some(0.0), Some(0.99999), Some(0.00001), None];
        let texts = parts.map(|part| percent(part.map_or(Value::from(()), Value::from)));
        assert_eq!(texts, ["97.3 %", "100 %", "0 %", "99.9 %", "0.1 %", "–"]);
    }

    #[test]
    fn times_read_naturally() {
        let day = 86_400;
        assert_eq!(
            [0, 59, 60, 7200, 3 * day].map(|back| ago(1_000_000 - back, 1_000_000)),
            ["just now", "59 s ago", "1 min ago", "2 h ago", "3 days ago"]
        );
        assert_eq!((iso(0).as_str(), minute(1_763_632_845).as_str()), ("1970-01-01T00:00:00Z", "2025-11-20 10:00"));
        assert_eq!(ago(5, 1), "just now", "clocks differ");
        assert_eq!(minute(u64::MAX), "");
    }
}
