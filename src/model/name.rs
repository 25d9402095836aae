//! Names of projects, tasks and sequences: they become file names and parts of tags, so they are kept simple.

use crate::error::{Error, Result};

/// The longest name, in bytes: a prefix, a name, a digest and `.tar.gz` must fit into one file name.
pub(crate) const LONGEST: usize = 80;

/// Checks that `name` is made of ASCII letters, digits and `._+-`, starts with a letter or digit and is not too long.
pub(crate) fn check(place: &str, name: &str) -> Result<()> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let all_known = name.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c));
    if starts_well && all_known && name.len() <= LONGEST {
        return Ok(());
    }
    Err(Error::Invalid {
        place: place.to_owned(),
        problem: format!("`{}` is not a name", name.escape_debug()),
        hint: format!("use up to {LONGEST} letters, digits, `.`, `_`, `+`, `-`, beginning with a letter or digit"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_file_names() {
        for good in ["zlib", "libxml2", "gtk+", "a.b_c-d", "7zip"] {
            assert!(check("task", good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "a/b", "a b", "ä", "a\n", &"x".repeat(81)] {
            assert!(check("task", bad).is_err(), "{bad}");
        }
    }
}
