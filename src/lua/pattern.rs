//! Lua's patterns with a budget: a matcher that gives up instead of hanging, since no hook interrupts the C one.
//!
//! The rules are those of the Lua 5.4 manual, section 6.4.1; a test compares it with Lua's own. The functions that use
//! it are in `strings`.

/// What a pattern found: the whole match, and its captures.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) captures: Vec<Capture>,
}

/// A piece of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    /// `()`: where it stands, from 0.
    Position(usize),
    /// From a start to an end.
    Text(usize, usize),
    /// Begun and not ended.
    Open(usize),
}

/// A subject and a pattern to be matched with it.
pub(super) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<Capture>,
    depth: usize,
    budget: u64,
}

/// Why a pattern cannot be matched.
pub(super) type Refusal = &'static str;

type Match = Result<Option<usize>, Refusal>;

/// How many single comparisons one call may take: some tenths of a second.
const BUDGET: u64 = 20_000_000;
/// As in Lua's own library.
const DEEPEST: usize = 200;
const MOST_CAPTURES: usize = 32;

impl<'a> Matcher<'a> {
    pub(super) fn new(text: &'a [u8], pattern: &'a [u8]) -> Self {
        Self { text, pattern, captures: Vec::new(), depth: 0, budget: BUDGET }
    }

    /// Matches the pattern exactly at `start`.
    pub(super) fn at(&mut self, start: usize) -> Result<Option<Found>, Refusal> {
        self.captures.clear();
        self.depth = 0;
        let Some(end) = self.matches(start, 0)? else { return Ok(None) };
        if self.captures.iter().any(|capture| matches!(capture, Capture::Open(_))) {
            return Err("unfinished capture");
        }
        Ok(Some(Found { start, end, captures: self.captures.clone() }))
    }

    fn spend(&mut self) -> Result<(), Refusal> {
        self.budget = self.budget.checked_sub(1).ok_or("the pattern takes too long to match this text")?;
        Ok(())
    }

    fn matches(&mut self, at: usize, pattern: usize) -> Match {
        if self.depth == DEEPEST {
            return Err("pattern too complex");
        }
        self.depth += 1;
        let end = self.follow(at, pattern);
        self.depth -= 1;
        end
    }

    /// Matches items one after another, as long as none needs to try more than one way.
    fn follow(&mut self, mut at: usize, mut pattern: usize) -> Match {
        loop {
            self.spend()?;
            let next = self.pattern.get(pattern + 1).copied();
            let step = match (self.pattern.get(pattern), next) {
                (None, _) => return Ok(Some(at)),
                (Some(b'('), Some(b')')) => return self.open(Capture::Position(at), at, pattern + 2),
                (Some(b'('), _) => return self.open(Capture::Open(at), at, pattern + 1),
                (Some(b')'), _) => return self.close(at, pattern + 1),
                (Some(b'$'), None) => return Ok((at == self.text.len()).then_some(at)),
                (Some(b'%'), Some(b'b')) => self.balanced(at, pattern + 2)?.map(|at| (at, pattern + 4)),
                (Some(b'%'), Some(b'f')) => self.frontier(at, pattern + 2)?.map(|pattern| (at, pattern)),
                (Some(b'%'), Some(digit @ b'0'..=b'9')) => self.again(at, digit)?.map(|at| (at, pattern + 2)),
                _ => {
                    let end = self.item_end(pattern)?;
                    match self.pattern.get(end) {
                        Some(b'?') => {
                            if self.single(at, pattern, end)
                                && let Some(end) = self.matches(at + 1, end + 1)?
                            {
                                return Ok(Some(end));
                            }
                            Some((at, end + 1))
                        }
                        Some(b'*') => return self.most(at, 0, pattern, end),
                        Some(b'+') => return self.most(at, 1, pattern, end),
                        Some(b'-') => return self.fewest(at, pattern, end),
                        _ => self.single(at, pattern, end).then_some((at + 1, end)),
                    }
                }
            };
            match step {
                Some(step) => (at, pattern) = step,
                None => return Ok(None),
            }
        }
    }

    fn open(&mut self, capture: Capture, at: usize, pattern: usize) -> Match {
        if self.captures.len() == MOST_CAPTURES {
            return Err("too many captures");
        }
        let level = self.captures.len();
        self.captures.push(capture);
        let end = self.matches(at, pattern)?;
        if end.is_none() {
            self.captures.truncate(level);
        }
        Ok(end)
    }

    fn close(&mut self, at: usize, pattern: usize) -> Match {
        let open = self.captures.iter_mut().rfind(|capture| matches!(capture, Capture::Open(_)));
        let Some(capture) = open else { return Err("invalid pattern capture") };
        let Capture::Open(start) = *capture else { return Ok(None) };
        *capture = Capture::Text(start, at);
        let end = self.matches(at, pattern)?;
        if end.is_none() {
            let closed = self.captures.iter_mut().rfind(|capture| **capture == Capture::Text(start, at));
            closed.into_iter().for_each(|capture| *capture = Capture::Open(start));
        }
        Ok(end)
    }

    /// As many as possible, then fewer.
    fn most(&mut self, at: usize, least: usize, pattern: usize, end: usize) -> Match {
        let mut count = 0;
        while self.single(at + count, pattern, end) {
            self.spend()?;
            count += 1;
        }
        while count >= least {
            if let Some(end) = self.matches(at + count, end + 1)? {
                return Ok(Some(end));
            }
            match count.checked_sub(1) {
                Some(fewer) => count = fewer,
                None => break,
            }
        }
        Ok(None)
    }

    /// As few as possible, then more.
    fn fewest(&mut self, mut at: usize, pattern: usize, end: usize) -> Match {
        loop {
            if let Some(end) = self.matches(at, end + 1)? {
                return Ok(Some(end));
            }
            if !self.single(at, pattern, end) {
                return Ok(None);
            }
            at += 1;
        }
    }

    /// `%1`: what a capture found, once more.
    fn again(&mut self, at: usize, digit: u8) -> Match {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let (start, end) = match index.and_then(|index| self.captures.get(index)) {
            Some(Capture::Text(start, end)) => (*start, *end),
            Some(Capture::Position(_)) => return Ok(None),
            _ => return Err("invalid capture index in pattern"),
        };
        self.spend()?;
        let wanted = self.text.get(start..end);
        let length = end - start;
        Ok((wanted.is_some() && self.text.get(at..at + length) == wanted).then_some(at + length))
    }

    /// `%b()`: from an opening to its closing byte.
    fn balanced(&mut self, at: usize, pattern: usize) -> Match {
        let (Some(open), Some(close)) = (self.pattern.get(pattern), self.pattern.get(pattern + 1)) else {
            return Err("malformed pattern (missing arguments to '%b')");
        };
        let (open, close) = (*open, *close);
        if self.text.get(at) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (ahead, byte) in self.text.iter().enumerate().skip(at + 1) {
            self.spend()?;
            if *byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(ahead + 1));
                }
            } else if *byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: the place where a set begins. Gives the place in the pattern behind it.
    fn frontier(&mut self, at: usize, pattern: usize) -> Match {
        if self.pattern.get(pattern) != Some(&b'[') {
            return Err("missing '[' after '%f' in pattern");
        }
        let end = self.item_end(pattern)?;
        let byte = |at: Option<usize>| at.and_then(|at| self.text.get(at)).copied().unwrap_or(0);
        let (before, here) = (byte(at.checked_sub(1)), byte(Some(at)));
        let inside = |byte| in_set(byte, self.pattern.get(pattern + 1..end - 1).unwrap_or_default());
        Ok((!inside(before) && inside(here)).then_some(end))
    }

    /// Where the single-byte item that begins at `pattern` ends.
    fn item_end(&self, pattern: usize) -> Result<usize, Refusal> {
        match self.pattern.get(pattern) {
            Some(b'%') if pattern + 1 == self.pattern.len() => Err("malformed pattern (ends with '%')"),
            Some(b'%') => Ok(pattern + 2),
            Some(b'[') => self.set_end(pattern + 1),
            _ => Ok(pattern + 1),
        }
    }

    fn set_end(&self, pattern: usize) -> Result<usize, Refusal> {
        let mut at = if self.pattern.get(pattern) == Some(&b'^') { pattern + 1 } else { pattern };
        loop {
            // The first byte belongs to the set, be it a bracket.
            match self.pattern.get(at) {
                None => return Err("malformed pattern (missing ']')"),
                Some(b'%') => at += 2,
                Some(_) => at += 1,
            }
            if self.pattern.get(at) == Some(&b']') {
                return Ok(at + 1);
            }
        }
    }

    /// Whether the item between `pattern` and `end` matches the byte at `at`.
    fn single(&self, at: usize, pattern: usize, end: usize) -> bool {
        let (Some(byte), Some(item)) = (self.text.get(at), self.pattern.get(pattern..end)) else { return false };
        match item {
            [b'.'] => true,
            [b'%', class] => in_class(*byte, *class),
            [b'[', set @ .., b']'] => in_set(*byte, set),
            [wanted] => wanted == byte,
            _ => false,
        }
    }
}

/// Whether a byte is in a set, given without its brackets.
fn in_set(byte: u8, set: &[u8]) -> bool {
    let (set, wanted) = match set {
        [b'^', rest @ ..] => (rest, false),
        set => (set, true),
    };
    let mut rest = set;
    loop {
        let inside;
        (inside, rest) = match rest {
            [] => return !wanted,
            [b'%', class, rest @ ..] => (in_class(byte, *class), rest),
            [low, b'-', high, rest @ ..] => ((*low..=*high).contains(&byte), rest),
            [one, rest @ ..] => (*one == byte, rest),
        };
        if inside {
            return wanted;
        }
    }
}

/// Whether a byte is in a class such as `%a`; the class in upper case is its complement.
fn in_class(byte: u8, class: u8) -> bool {
    let inside = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => return class == byte,
    };
    inside != class.is_ascii_uppercase()
}
