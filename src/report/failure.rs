//! The failure: an error for people, or for a program that waits for JSON.

use serde::Serialize;

use super::JSON_FORMAT;
use super::exit::Exit;
use super::paint::{Ink, Paint};
use super::printable::{LAYOUT, tame};
use crate::error::Error;

/// Why something could not be done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// What went wrong, with its place.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The code that the program ends with.
    pub exit: u8,
}

impl Failure {
    /// The failure that an error is.
    pub fn of(error: &Error) -> Self {
        Self { format: JSON_FORMAT, error: error.to_string(), hint: error.hint(), exit: Exit::of_error(error).code() }
    }

    /// The failure for people: `error: …`, and `hint: …` on a line of its own.
    pub fn text(&self, paint: Paint) -> String {
        let error = format!("{} {}\n", paint.text(Ink::Bad, "error:"), tame(&self.error, LAYOUT));
        match &self.hint {
            Some(hint) => format!("{error}{} {}\n", paint.text(Ink::Good, "hint:"), tame(hint, LAYOUT)),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_names_and_obeys_none() {
        let error = Error::Archive { archive: "shop-zlib-1".into(), problem: "`\x1b]0;x\x07` comes twice".into() };
        let text = Failure::of(&error).text(Paint::Never);
        assert_eq!(text, "error: archive `shop-zlib-1`: `\\u{1b}]0;x\\u{7}` comes twice\n");
    }

    #[test]
    fn a_failure_says_what_where_and_what_to_do() {
        let error = Error::Task {
            task: "zlib".into(),
            log: None,
            source: Box::new(Error::Offline { url: "https://zlib.net/zlib.tar.gz".into() }),
        };
        let expected = "error: task `zlib`: `https://zlib.net/zlib.tar.gz` is not in the source cache, and the network \
                        is forbidden\nhint: allow the network, or put the file into a directory given with `--sources`\n";
        assert_eq!(Failure::of(&error).text(Paint::Never), expected);
    }
}
