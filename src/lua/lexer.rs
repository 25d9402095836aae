//! Just enough of Lua's lexical rules to find where functions and tables begin and end in a text that compiles.
//!
//! Rules: Lua 5.4 manual, section 3.1. Comments and white space are skipped; nothing is checked, since the real compiler
//! has accepted the text before it comes here.

use std::ops::Range;

/// A word, string, number or symbol of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    pub(super) start: usize,
    pub(super) line: usize,
    /// The line that it ends on: strings may have several.
    pub(super) last_line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    String,
    Number,
    /// One punctuation character; `==` is two of them.
    Symbol,
}

/// The tokens of a text.
pub(super) struct Tokens<'s> {
    text: &'s str,
    at: usize,
    line: usize,
}

/// Where a function stands, from `function` to `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) bytes: Range<usize>,
    pub(super) first_line: usize,
    pub(super) last_line: usize,
}

/// Every function of a text, in the order of their beginnings.
pub(super) fn functions(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for token in Tokens::new(text).filter(|token| token.kind == Kind::Name) {
        match token.text {
            "function" => {
                open.push(Some(found.len()));
                let span = Span { bytes: token.start..token.start, first_line: token.line, last_line: token.line };
                found.push(span);
            }
            "do" | "if" => open.push(None),
            "end" => {
                if let Some(span) = open.pop().flatten().and_then(|index| found.get_mut(index)) {
                    span.bytes.end = token.start + token.text.len();
                    span.last_line = token.line;
                }
            }
            _ => {}
        }
    }
    found
}

/// The line of the key that `keys` lead to, in the first table that opens on `line` or later and has it.
pub(super) fn key_line(text: &str, line: usize, keys: &[String]) -> Option<usize> {
    let tokens: Vec<_> = Tokens::new(text).skip_while(|token| token.line < line).collect();
    let mut at = 0;
    let mut found = None;
    for key in keys {
        let open = at + tokens.get(at..)?.iter().position(|token| token.text == "{")?;
        match find_key(&tokens, open, key) {
            Some(position) => {
                at = position;
                found = tokens.get(position).map(|token| token.line);
            }
            None => return found,
        }
    }
    found
}

/// The position of `key` followed by `=` directly inside the table that opens at `open`, or in one after it on its line.
fn find_key(tokens: &[Token<'_>], open: usize, key: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, pair) in tokens.windows(3).enumerate().skip(open) {
        let [token, next, after] = pair else { continue };
        match (token.kind, token.text) {
            (Kind::Symbol, "{" | "(") => depth += 1,
            (Kind::Symbol, "}" | ")") => depth = depth.saturating_sub(1),
            (Kind::Name, name) if depth <= 1 && name == key && next.text == "=" => return Some(position),
            (Kind::String, quoted)
                if depth <= 1 && unquoted(quoted) == key && next.text == "]" && after.text == "=" =>
            {
                return Some(position);
            }
            _ => {}
        }
    }
    None
}

fn unquoted(quoted: &str) -> &str {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("")
}

impl<'s> Tokens<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Moves over one byte, counting lines as Lua does: `\n`, `\r`, `\r\n` and `\n\r` are one each.
    fn advance(&mut self) {
        let byte = self.byte(0);
        self.at += 1;
        if matches!(byte, Some(b'\n' | b'\r')) {
            self.line += 1;
            if self.byte(0) != byte && matches!(self.byte(0), Some(b'\n' | b'\r')) {
                self.at += 1;
            }
        }
    }

    fn advance_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&wanted) {
            self.advance();
        }
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            self.advance_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
            if (self.byte(0), self.byte(1)) != (Some(b'-'), Some(b'-')) {
                return;
            }
            self.at += 2;
            match self.long_level() {
                Some(level) => self.long_bracket(level),
                None => self.advance_while(|byte| byte != b'\n' && byte != b'\r'),
            }
        }
    }

    /// The number of `=` in a long bracket that opens here.
    fn long_level(&self) -> Option<usize> {
        let rest = self.text.as_bytes().get(self.at..)?.strip_prefix(b"[")?;
        let level = rest.iter().take_while(|byte| **byte == b'=').count();
        (rest.get(level) == Some(&b'[')).then_some(level)
    }

    fn long_bracket(&mut self, level: usize) {
        let close = format!("]{}]", "=".repeat(level));
        while self.at < self.text.len()
            && !self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(close.as_bytes()))
        {
            self.advance();
        }
        self.at = (self.at + close.len()).min(self.text.len());
    }

    fn quoted(&mut self, quote: u8) {
        self.advance();
        while let Some(byte) = self.byte(0).filter(|byte| *byte != quote) {
            self.advance();
            if byte == b'\\' {
                self.advance();
            }
        }
        self.advance();
    }

    fn number(&mut self) {
        while let Some(byte) = self.byte(0) {
            let sign = matches!(byte, b'+' | b'-');
            let exponent = matches!(self.text.as_bytes().get(self.at - 1), Some(b'e' | b'E' | b'p' | b'P'));
            if !(byte.is_ascii_alphanumeric() || byte == b'.' || (sign && exponent)) {
                return;
            }
            self.advance();
        }
    }
}

impl<'s> Iterator for Tokens<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.skip_blanks_and_comments();
        let (start, line) = (self.at, self.line);
        let kind = match self.byte(0)? {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.advance_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                Kind::Name
            }
            b'0'..=b'9' => {
                self.advance();
                self.number();
                Kind::Number
            }
            quote @ (b'"' | b'\'') => {
                self.quoted(quote);
                Kind::String
            }
            b'[' if self.long_level().is_some() => {
                let level = self.long_level().unwrap_or(0);
                self.at += level + 2;
                self.long_bracket(level);
                Kind::String
            }
            _ => {
                self.advance();
                self.advance_while(|byte| byte >= 0x80);
                Kind::Symbol
            }
        };
        self.at = self.at.min(self.text.len());
        Some(Token { kind, text: self.text.get(start..self.at)?, start, line, last_line: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        functions(text).into_iter().map(|span| &text[span.bytes]).collect()
    }

    #[test]
    fn an_end_inside_names_strings_and_comments_ends_nothing() {
        let text =
            "x = function(t) append('end') -- end\n t.ending = [==[ end ]] ]==] --[[ end ]] .. \"\\\" end\" end y()";
        assert_eq!(texts(text), [&text[4..text.len() - 4]]);
    }

    #[test]
    fn every_word_that_needs_an_end_gets_its_own() {
        let text =
            "function a() while x do if y then repeat z() until w elseif v then else for i=1,2 do end end end end b()";
        assert_eq!(texts(text), [&text[..text.len() - 4]]);
    }

    #[test]
    fn nested_functions_are_found_in_the_order_of_their_beginnings() {
        let text = "f(function()\n g(function() end)\nend)";
        let spans: Vec<_> = functions(text).into_iter().map(|span| (span.first_line, span.last_line)).collect();
        assert_eq!(spans, [(1, 3), (2, 2)]);
    }

    #[test]
    fn lines_are_counted_as_lua_counts_them() {
        let text = "a\r\nb\rc\n\rd '\\\n' [[\n]] e";
        let lines: Vec<_> = Tokens::new(text).map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("'\\\n'", 4), ("[[\n]]", 5), ("e", 6)]);
    }

    #[test]
    fn numbers_swallow_their_exponents() {
        let text = "x = 0x1p-4+1e+5..3 end";
        let found: Vec<_> = Tokens::new(text).map(|token| token.text).collect();
        assert_eq!(found, ["x", "=", "0x1p-4", "+", "1e+5..3", "end"]);
    }

    #[test]
    fn keys_are_found_where_they_stand() {
        let text =
            "shop:task 'a' {\n version = f { sha = 1 },\n source = {\n  url = 'sha = 2',\n  ['sha'] = 3,\n },\n}";
        let line = |keys: &[&str]| key_line(text, 1, &keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            (line(&["source"]), line(&["source", "url"]), line(&["source", "sha"])),
            (Some(3), Some(4), Some(5))
        );
        assert_eq!((line(&["sha"]), line(&["source", "git"])), (None, Some(3)));
    }

    #[test]
    fn unfinished_texts_end_somewhere() {
        for text in ["'", "[[", "--[[", "\"\\", "function", "end", "é", "x = 1e", "[=", "--"] {
            let _ = functions(text);
            assert!(Tokens::new(text).count() <= 3, "{text}");
        }
    }
}
