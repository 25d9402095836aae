//! Reading a patch: unified diffs, plain or as git writes them, with any prose before and between them.
//!
//! Names and lines are bytes. Format: "Detailed Description of Unified Format" of the GNU diffutils manual. What stands
//! above the hunks of a file is read in [`super::header`].

use std::iter::Peekable;

use super::diff::{FileDiff, Hunk, Kind, Line};
use super::header::{git_header, git_line, named, trim};

/// Where a patch cannot be understood.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Line of the patch, from 1.
    pub(super) line: usize,
    pub(super) problem: String,
}

/// The diffs of a patch, in its order; at least one.
pub(super) fn parse(patch: &[u8]) -> Result<Vec<FileDiff>, Malformed> {
    let mut parser = Parser { lines: patch.split_inclusive(is_newline as fn(&u8) -> bool).peekable(), line: 0 };
    let mut diffs: Vec<FileDiff> = Vec::new();
    let mut header = None;
    let mut mangled = false;
    while let Some(line) = parser.next() {
        if let Some(names) = line.strip_prefix(b"diff --git ") {
            diffs.extend(header.replace(git_header(trim(names))));
        } else if let Some((old, new)) = parser.names(line) {
            // A diff that has hunks already, or none of git's lines, is followed by the next one.
            let git = header.take_if(|diff: &mut FileDiff| diff.hunks.is_empty());
            diffs.extend(header.take());
            mangled = line.ends_with(b"\r\n");
            header = Some(named(git.unwrap_or_default(), trim(old), trim(new)));
        } else if line.starts_with(b"@@") {
            let diff = header.as_mut().ok_or_else(|| parser.malformed("a hunk stands before any file name"))?;
            diff.hunks.push(parser.hunk(line, mangled)?);
        } else if let Some(diff) = header.as_mut().filter(|diff| diff.hunks.is_empty()) {
            git_line(diff, trim(line)).map_err(|problem| parser.malformed(problem))?;
        }
    }
    diffs.extend(header);
    if diffs.is_empty() {
        return Err(parser.malformed("the patch holds no unified diff"));
    }
    Ok(diffs)
}

struct Parser<I: Iterator> {
    lines: Peekable<I>,
    line: usize,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Parser<I> {
    fn next(&mut self) -> Option<&'a [u8]> {
        self.line += 1;
        self.lines.next()
    }

    fn peek(&mut self) -> Option<&'a [u8]> {
        self.lines.peek().copied()
    }

    fn malformed(&self, problem: impl Into<String>) -> Malformed {
        Malformed { line: self.line, problem: problem.into() }
    }

    /// What follows `---` here and `+++` on the next line, if these are such lines.
    fn names(&mut self, line: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let old = line.strip_prefix(b"--- ")?;
        let new = self.peek()?.strip_prefix(b"+++ ")?;
        self.next();
        Some((old, new))
    }

    /// The hunk under this `@@` line. `mangled` patches went through something that ends all lines with CR LF.
    fn hunk(&mut self, header: &[u8], mangled: bool) -> Result<Hunk, Malformed> {
        let ranges = ranges(header).ok_or_else(|| self.malformed("it is not a hunk header"))?;
        let (old_start, mut old_left, mut new_left) = ranges;
        let mut lines: Vec<Line> = Vec::new();
        while old_left > 0 || new_left > 0 {
            let line = self.next().ok_or_else(|| self.malformed("the patch ends within a hunk"))?;
            let (kind, text) = match line {
                [b' ', text @ ..] => (Kind::Context, text),
                // Mailers and editors drop the blank of an empty context line.
                [b'\n'] | [b'\r', b'\n'] => (Kind::Context, line),
                [b'-', text @ ..] => (Kind::Remove, text),
                [b'+', text @ ..] => (Kind::Add, text),
                [b'\\', ..] => {
                    unterminate(&mut lines);
                    continue;
                }
                _ => return Err(self.malformed("the hunk is shorter than its header says")),
            };
            let left = (kind != Kind::Add, kind != Kind::Remove);
            let taken = (old_left.checked_sub(left.0.into()), new_left.checked_sub(left.1.into()));
            let (Some(old), Some(new)) = taken else {
                return Err(self.malformed("the hunk is longer than its header says"));
            };
            (old_left, new_left) = (old, new);
            lines.push(Line { kind, text: terminated(text, mangled) });
        }
        if self.peek().is_some_and(|line| line.starts_with(b"\\")) {
            self.next();
            unterminate(&mut lines);
        }
        Ok(Hunk { old_start, lines })
    }
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
}

/// The line with its line end, also where the patch itself ends too early.
fn terminated(text: &[u8], mangled: bool) -> Vec<u8> {
    let bare = text.strip_suffix(b"\n").unwrap_or(text);
    let bare = if mangled { bare.strip_suffix(b"\r").unwrap_or(bare) } else { bare };
    [bare, b"\n"].concat()
}

/// Carries out `\ No newline at end of file`.
fn unterminate(lines: &mut [Line]) {
    if let Some(line) = lines.last_mut().filter(|line| line.text.ends_with(b"\n")) {
        line.text.pop();
    }
}

/// `@@ -3,4 +5,6 @@`: the old start and both lengths.
fn ranges(header: &[u8]) -> Option<(usize, usize, usize)> {
    let text = std::str::from_utf8(header.get(4..)?.split(|byte| *byte == b'@').next()?).ok()?;
    let (old, new) = text.trim().split_once(" +")?;
    let number = |text: &str| usize::try_from(text.parse::<u32>().ok()?).ok();
    let range = |text: &str| match text.split_once(',') {
        Some((start, len)) => Some((number(start)?, number(len)?)),
        None => Some((number(text)?, 1)),
    };
    let ((old_start, old_len), (_, new_len)) = (range(old)?, range(new)?);
    Some((old_start, old_len, new_len))
}
