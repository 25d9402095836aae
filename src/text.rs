//! Pieces of messages: durations and sizes for people, endings of processes, the nearest of several names.

use std::time::Duration;

/// The name of `names` that is most like `wanted`, if any is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= wanted.chars().count().max(name.chars().count()).div_ceil(3))
        .min()
        .map(|(_, name)| name.to_owned())
}

/// How a process ended: `exited with code 2`, `was killed by signal 9`.
pub(crate) fn ending(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

/// A duration in the two units that matter: `4 ms`, `3.2 s`, `2 min 5 s`, `1 h 3 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size in powers of 1024 with three digits: `512 B`, `1.5 KiB`, `20.1 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 task`, `2 tasks`.
pub(crate) fn count(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The first line of a command, shortened to what fits on a line of a terminal.
pub(crate) fn first_line(text: &str) -> String {
    const WIDTH: usize = 72;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next().unwrap_or("");
    let more = lines.next().is_some();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if more => format!("{line} …"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_away_or_none() {
        assert_eq!(nearest("zlb", ["app", "zlib", "xz"]).as_deref(), Some("zlib"));
        assert_eq!(nearest("Depend_on", ["depends_on", "version"]).as_deref(), Some("depends_on"));
        assert_eq!(nearest("openssl", ["app", "zlib", "xz"]), None);
    }

    #[test]
    fn durations_read_naturally() {
        let texts: Vec<_> = [4, 3_200, 125_000, 3_780_000].map(Duration::from_millis).map(duration).into();
        assert_eq!(texts, ["4 ms", "3.2 s", "2 min 5 s", "1 h 3 min"]);
    }

    #[test]
    fn sizes_keep_one_digit() {
        assert_eq!([bytes(0), bytes(1023), bytes(1536), bytes(21 << 20)], ["0 B", "1023 B", "1.5 KiB", "21.0 MiB"]);
    }

    #[test]
    fn long_commands_are_cut_at_a_character() {
        assert_eq!(first_line("\n  make -j8\nmake install\n"), "make -j8 …");
        assert!(first_line(&"é".repeat(100)).ends_with('…'));
    }
}
