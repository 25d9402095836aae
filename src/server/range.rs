//! Ranges: which part of an object is asked for (RFC 9110, section 14).

use std::ops::Range;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it. A form that we do not know, and several ranges at once, are answered by all too, as the RFC allows.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing that there is.
    Beyond,
}

/// Reads a `Range` header for an object of `size` bytes.
pub(super) fn asked(header: &str, size: u64) -> Asked {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::All;
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let range = match (first.trim(), last.trim()) {
        ("", last) => number(last).map(|count| (size.saturating_sub(count), size, count > 0 && size > 0)),
        (first, "") => number(first).map(|first| (first, size, first < size)),
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some((first, last.saturating_add(1).min(size), first < size)),
            _ => None,
        },
    };
    match range {
        None => Asked::All,
        Some((first, end, true)) => Asked::Part(first..end),
        Some(_) => Asked::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        assert_eq!(asked("bytes=0-0", 10), Asked::Part(0..1));
        assert_eq!(asked("bytes=2-", 10), Asked::Part(2..10));
        assert_eq!(asked("bytes=-3", 10), Asked::Part(7..10));
        assert_eq!(asked("bytes=-30", 10), Asked::Part(0..10));
        assert_eq!(asked("bytes=5-99", 10), Asked::Part(5..10));
        assert_eq!(asked("bytes=9-18446744073709551615", 10), Asked::Part(9..10));
        for beyond in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(asked(beyond, 10), Asked::Beyond, "{beyond}");
        }
        for odd in ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=+1-2", "bytes=", "bytes=-", "x"] {
            assert_eq!(asked(odd, 10), Asked::All, "{odd}");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Beyond);
    }
}
