//! Times as people write them on a command line: a day, a moment, or how long ago.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::parse_length;

/// A time: `2026-11-20`, `2026-11-20T14:30`, `2026-11-20T14:30:00+01:00`, or `3h` for so long before `now`. Without an
/// offset it is in UTC.
pub(super) fn parse_time(text: &str, now: SystemTime) -> Result<SystemTime, String> {
    if let Some(ago) = parse_length(text).filter(|_| text.ends_with(|c: char| c.is_ascii_alphabetic())) {
        return now.checked_sub(ago).ok_or_else(|| format!("`{text}` ago is too long ago"));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.into());
    }
    let moment = text.parse::<DateTime>().and_then(|time| time.to_zoned(TimeZone::UTC));
    moment.map(|time| time.timestamp().into()).map_err(|_| {
        "a time is a day (`2026-11-20`), a moment (`2026-11-20T14:30:00Z`), or how long ago (`3h`, `2d`)".into()
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_days_moments_or_ages() {
        let at = |seconds| Ok(UNIX_EPOCH + Duration::from_secs(seconds));
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(parse_time("1970-01-02", now), at(86_400));
        assert_eq!(parse_time("1970-01-02T01:00", now), at(90_000));
        assert_eq!(parse_time("1970-01-02T01:00:00+01:00", now), at(86_400));
        assert_eq!(parse_time("1h", now), at(996_400));
        for text in ["", "yesterday", "1h ago", "1970-13-01", "12"] {
            assert!(parse_time(text, now).unwrap_err().starts_with("a time is a day"), "{text}");
        }
    }
}
