//! Lengths of time as people write them: `30`, `1.5`, `30s`, `2m`, `12h`, `30d`, `500ms`.

use std::time::Duration;

/// What a length of time looks like.
pub(super) const LENGTHS: &str = "a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d` behind it";

/// Units with their seconds, the longer names first: `ms` ends in `s` too.
const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)];

/// A length of time, such as `30s` or `2m`; a number alone is of seconds. `None` where the text is none.
pub fn parse_length(text: &str) -> Option<Duration> {
    let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let (number, seconds) = unit.unwrap_or((text, 1.0));
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain || !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units() {
        let seconds = |text: &str| parse_length(text).map(|length| length.as_secs_f64());
        let lengths = ["30", "1.5", "30s", "2m", "12h", "30d", "500ms", "0"].map(seconds);
        assert_eq!(lengths, [30.0, 1.5, 30.0, 120.0, 43200.0, 2_592_000.0, 0.5, 0.0].map(Some));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "s", "-1", "+1", "1 s", "30S", "1.s", ".5s", "1e3", "inf", "1.5.5s", "1w", "99999999999999999999d"]
        {
            assert_eq!(parse_length(text), None, "{text:?}");
        }
    }
}
