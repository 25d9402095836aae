//! Colours: the few that reports use, as the escape sequences that every terminal knows.

use std::borrow::Cow;

/// What a piece of text is, for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ink {
    /// Text like any other.
    #[default]
    Plain,
    /// What matters.
    Bold,
    /// What matters little.
    Faint,
    /// Something failed.
    Bad,
    /// Something may be wrong.
    Warn,
    /// Something was done.
    Good,
    /// One of the colours by which tasks are told apart; any number will do.
    Task(usize),
}

/// The colours of tasks: cyan, green, yellow, blue, magenta and bright cyan.
const TASKS: [&str; 6] = ["36", "32", "33", "34", "35", "96"];

impl Ink {
    /// The parameter of the "select graphic rendition" sequence of ECMA-48.
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Ink::Plain => return None,
            Ink::Bold => "1",
            Ink::Faint => "2",
            Ink::Bad => "31",
            Ink::Warn => "33",
            Ink::Good => "32",
            Ink::Task(number) => TASKS[number % TASKS.len()],
        })
    }
}

/// Whether texts are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// They are not.
    #[default]
    Never,
    /// They are.
    Always,
}

impl Paint {
    /// A text in a colour.
    pub fn text<'t>(self, ink: Ink, text: &'t str) -> Cow<'t, str> {
        match (self, ink.code()) {
            (Paint::Always, Some(code)) => Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m")),
            _ => Cow::Borrowed(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_painted_only_where_colours_are_wanted() {
        assert_eq!(Paint::Always.text(Ink::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Paint::Always.text(Ink::Plain, "x"), "x");
        assert_eq!(Paint::Never.text(Ink::Bad, "x"), "x");
    }

    #[test]
    fn the_seventh_task_looks_like_the_first() {
        assert_eq!(Paint::Always.text(Ink::Task(6), "x"), Paint::Always.text(Ink::Task(0), "x"));
    }
}
