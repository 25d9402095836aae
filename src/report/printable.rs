//! Output of tools, made fit to stand among other lines: colours may stay, whatever moves the cursor goes.

use std::borrow::Cow;

use super::paint::Paint;

/// What a terminal would show of a line in the end, with its colours if colours are wanted.
pub(super) fn printable(line: &str, paint: Paint) -> String {
    // Of a line that was written over several times, the last state is what stays.
    let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    if !line.contains(|c: char| c.is_control()) {
        return line.to_owned();
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_control()) {
        let (before, control) = rest.split_at(start);
        shown.push_str(before);
        let (sequence, after) = control.split_at(length(control));
        if sequence == "\t" || (paint == Paint::Always && is_color(sequence)) {
            shown.push_str(sequence);
        }
        rest = after;
    }
    shown.push_str(rest);
    if shown.contains('\x1b') {
        shown.push_str("\x1b[0m");
    }
    shown
}

/// A text of which somebody else may have written parts: names in an artifact, what a server says. Control characters
/// are spelled out, save those in `kept`.
pub(super) fn tame<'t>(text: &'t str, kept: &[char]) -> Cow<'t, str> {
    let is_wild = |c: char| c.is_control() && !kept.contains(&c);
    if !text.contains(is_wild) {
        return Cow::Borrowed(text);
    }
    let mut tamed = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_wild(c) {
            true => tamed.extend(c.escape_debug()),
            false => tamed.push(c),
        }
    }
    Cow::Owned(tamed)
}

/// What may stand in a text of several lines.
pub(super) const LAYOUT: &[char] = &['\n', '\t'];

/// How many bytes the control character or sequence at the beginning of a text has (ECMA-48, sections 5.4 and 5.6).
fn length(text: &str) -> usize {
    let Some(sequence) = text.strip_prefix('\x1b') else { return text.chars().next().map_or(0, char::len_utf8) };
    let end = match sequence.chars().next() {
        Some('[') => {
            sequence.char_indices().skip(1).find(|(_, c)| ('@'..='~').contains(c)).map(|(at, c)| at + c.len_utf8())
        }
        Some(']' | 'P' | 'X' | '^' | '_') => string_end(sequence),
        Some(c) => Some(c.len_utf8()),
        None => None,
    };
    1 + end.unwrap_or(sequence.len())
}

/// Where a control string, such as a window title, ends: after BEL or ESC and a backslash.
fn string_end(sequence: &str) -> Option<usize> {
    let bell = sequence.find('\x07').map(|at| at + 1);
    let terminator = sequence.find("\x1b\\").map(|at| at + 2);
    bell.into_iter().chain(terminator).min()
}

/// Whether a sequence sets colours and the like, and nothing else.
fn is_color(sequence: &str) -> bool {
    let parameters = sequence.strip_prefix("\x1b[").and_then(|rest| rest.strip_suffix('m'));
    parameters.is_some_and(|parameters| parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for line in ["", "gcc -c x.c", "\tüber"] {
            assert_eq!(printable(line, Paint::Never), line);
        }
    }

    #[test]
    fn of_a_progress_line_the_end_stays() {
        assert_eq!(printable("10 %\r20 %\r", Paint::Never), "20 %");
    }

    #[test]
    fn colors_stay_where_they_are_wanted_and_do_not_leak() {
        assert_eq!(printable("\x1b[31mbad", Paint::Always), "\x1b[31mbad\x1b[0m");
        assert_eq!(printable("\x1b[1;31mbad\x1b[0m", Paint::Never), "bad");
    }

    #[test]
    fn whatever_moves_the_cursor_or_talks_to_the_terminal_goes() {
        for line in
            ["\x1b[2Kdone", "\x1b[1A\x1b[Gdone", "\x1b]0;title\x07done", "\x1b]8;;http://x\x1b\\done", "\x07done\x08"]
        {
            assert_eq!(printable(line, Paint::Always), "done", "{line:?}");
        }
        for line in ["\x1b", "\x1b[", "\x1b]never ends", "\x1b[1"] {
            assert_eq!(printable(line, Paint::Always), "", "{line:?}");
        }
    }
}
