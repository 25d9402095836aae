//! Finding where hunks fit into a file, and the file afterwards: the rules of GNU patch.
//!
//! A hunk is looked for where its header says, shifted like the hunk before it, then ever further away in both
//! directions. If it fits nowhere, up to two lines of its outer context are left out of the comparison (the *fuzz*) and
//! the search starts again. A hunk whose context is shorter at one end was made at that end of its file and, without
//! fuzz, fits only there.

use super::Rejection;
use super::diff::{Hunk, Kind, Line};

/// How many lines of outer context may differ at the most.
const FUZZ_MAX: usize = 2;

/// Why a patch is most often rejected.
pub(super) const ALREADY: &str = "it seems to be applied already";

/// Where a hunk fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// By how many lines it was found away from where its header says.
    pub(crate) offset: isize,
    /// How many lines of outer context were left out to find it.
    pub(crate) fuzz: usize,
}

/// The bytes of a file after all hunks.
pub(super) fn apply(hunks: &[Hunk], before: &[u8]) -> Result<(Vec<u8>, Vec<Placed>), Rejection> {
    let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let hunks = with_line_ends_of(hunks, &lines);
    let placed = place_all(&hunks, &lines);
    let easy = placed.as_ref().is_ok_and(|(_, placed)| placed.first().is_none_or(|first| first.fuzz == 0));
    if !easy && undoes(&hunks, &lines) {
        return Err(Rejection { hunk: placed.err().unwrap_or(1), reason: ALREADY.to_owned() });
    }
    placed.map_err(|number| {
        let line = hunks.get(number - 1).map_or(0, |hunk| hunk.old_start);
        Rejection { hunk: number, reason: format!("its lines were not found, neither at line {line} nor elsewhere") }
    })
}

/// Whether the hunks fit exactly in reverse. Hunks without context fit too easily to tell.
fn undoes(hunks: &[Hunk], lines: &[&[u8]]) -> bool {
    let telling = hunks.iter().all(|hunk| hunk.lines.iter().any(|line| line.kind == Kind::Context));
    let reversed: Vec<Hunk> = hunks.iter().map(reverse).collect();
    let fits = |placed: &[Placed]| placed.iter().all(|placed| placed.fuzz == 0);
    telling && place_all(&reversed, lines).is_ok_and(|(_, placed)| fits(&placed))
}

/// All hunks in their order, or the number of the first that fits nowhere.
fn place_all(hunks: &[Hunk], lines: &[&[u8]]) -> Result<(Vec<u8>, Vec<Placed>), usize> {
    let mut search = Search { lines, floor: 0, drift: 0 };
    let (mut bytes, mut placed) = (Vec::new(), Vec::new());
    for (index, hunk) in hunks.iter().enumerate() {
        let kept_from = search.floor;
        let spot = search.place(hunk).ok_or(index + 1)?;
        append(&mut bytes, lines.get(kept_from..spot.start).unwrap_or_default());
        let new: Vec<&[u8]> = hunk.after().collect();
        append(&mut bytes, new.get(spot.prefix..new.len() - spot.suffix).unwrap_or_default());
        placed.push(Placed { offset: search.drift, fuzz: spot.fuzz });
    }
    append(&mut bytes, lines.get(search.floor..).unwrap_or_default());
    Ok((bytes, placed))
}

/// Adds lines. One without a line end stays so only at the end of the file, wherever the patch thought that was.
fn append(bytes: &mut Vec<u8>, lines: &[&[u8]]) {
    for line in lines {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
    }
}

struct Search<'a> {
    lines: &'a [&'a [u8]],
    /// The first line behind everything that is changed so far.
    floor: usize,
    /// How far from its header the last hunk was found.
    drift: isize,
}

/// Where a hunk fits: what is between its outer context belongs at `start`. The context itself stays as it is in the
/// file, free for the next hunk to begin with.
struct Spot {
    start: usize,
    prefix: usize,
    suffix: usize,
    fuzz: usize,
}

impl Search<'_> {
    /// Finds the next hunk and moves on behind it.
    fn place(&mut self, hunk: &Hunk) -> Option<Spot> {
        let old: Vec<&[u8]> = hunk.before().collect();
        // Where nothing is replaced, the header names the line before.
        let stated = if old.is_empty() { hunk.old_start } else { hunk.old_start.saturating_sub(1) };
        let (prefix, suffix) = (context(hunk.lines.iter()), context(hunk.lines.iter().rev()));
        let longest = prefix.max(suffix);
        for fuzz in 0..=FUZZ_MAX.min(longest) {
            // The longer end gives up its context first; until it is as short as the other, that one is anchored.
            let front = fuzz.checked_sub(longest - prefix);
            let back = fuzz.checked_sub(longest - suffix);
            let pattern = Pattern { old: &old, front: front.unwrap_or(0), back: back.unwrap_or(0) };
            let at_top = front.is_none() && hunk.old_start <= 1;
            if let Some(start) = self.find(&pattern, stated, at_top, back.is_none()) {
                // A hunk that changes nothing is all prefix.
                let suffix = suffix.min(hunk.lines.len() - prefix);
                self.drift = start as isize - stated as isize;
                self.floor = start + old.len() - suffix;
                return Some(Spot { start: start + prefix, prefix, suffix, fuzz });
            }
        }
        None
    }

    /// The line where the pattern fits, counted as if none of it were left out.
    fn find(&self, pattern: &Pattern, stated: usize, at_top: bool, at_end: bool) -> Option<usize> {
        let last = self.lines.len().checked_sub(pattern.old.len() - pattern.back)?;
        let guess = stated.saturating_add_signed(self.drift);
        if pattern.old.is_empty() {
            return (self.floor..=last).contains(&guess).then_some(guess);
        }
        // A header may name any line at all: from beyond the end, the search starts at the end.
        let guess = guess.min(last);
        let fits = |start: &usize| (self.floor..=last).contains(start) && pattern.fits(self.lines, *start);
        match (at_top, at_end) {
            (true, true) => Some(0).filter(|_| last == 0).filter(fits),
            (true, false) => Some(0).filter(fits),
            (false, true) => Some(last).filter(fits),
            (false, false) => {
                let reach = guess.abs_diff(self.floor).max(guess.abs_diff(last));
                let near = |distance| [guess.checked_add(distance), guess.checked_sub(distance)];
                (0..=reach).flat_map(near).flatten().find(fits)
            }
        }
    }
}

/// The old lines of a hunk, with the ends that are not compared.
struct Pattern<'a> {
    old: &'a [&'a [u8]],
    front: usize,
    back: usize,
}

impl Pattern<'_> {
    fn fits(&self, lines: &[&[u8]], start: usize) -> bool {
        let wanted = self.old.get(self.front..self.old.len() - self.back);
        let found = lines.get(start + self.front..start + self.old.len() - self.back);
        wanted.is_some() && wanted == found
    }
}

fn context<'a>(lines: impl Iterator<Item = &'a Line>) -> usize {
    lines.take_while(|line| line.kind == Kind::Context).count()
}

/// The hunks as they read in a file whose lines end with CR LF, if it is one and they know nothing of that.
fn with_line_ends_of(hunks: &[Hunk], lines: &[&[u8]]) -> Vec<Hunk> {
    let mut hunks = hunks.to_vec();
    let dos = lines.first().is_some_and(|line| line.ends_with(b"\r\n"));
    let mut texts: Vec<&mut Vec<u8>> =
        hunks.iter_mut().flat_map(|hunk| &mut hunk.lines).map(|line| &mut line.text).collect();
    if dos && !texts.iter().any(|text| text.ends_with(b"\r\n")) {
        for text in texts.iter_mut().filter(|text| text.ends_with(b"\n")) {
            text.insert(text.len() - 1, b'\r');
        }
    }
    hunks
}

/// The hunk that undoes this one; its start is only near.
fn reverse(hunk: &Hunk) -> Hunk {
    let turned = |kind| match kind {
        Kind::Add => Kind::Remove,
        Kind::Remove => Kind::Add,
        Kind::Context => Kind::Context,
    };
    let lines = hunk.lines.iter().map(|line| Line { kind: turned(line.kind), text: line.text.clone() });
    Hunk { old_start: hunk.old_start.max(1), lines: lines.collect() }
}
