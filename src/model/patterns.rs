//! Glob patterns of a recipe: checked one by one when a project is built, used as one set when it is run.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// `patterns` as one set. `place` is where the recipe gives them.
pub(crate) fn pattern_set(place: &str, patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for text in patterns {
        set.add(pattern(place, text)?);
    }
    set.build().map_err(|error| invalid(place, error.to_string()))
}

/// A single pattern.
pub(super) fn pattern(place: &str, text: &str) -> Result<Glob> {
    Glob::new(text).map_err(|error| invalid(place, format!("`{text}` is not a pattern: {}", error.kind())))
}

fn invalid(place: &str, problem: String) -> Error {
    let hint = "`*` stands for any text, `**/` for any directories, `[…]` for one of several characters".into();
    Error::Invalid { place: place.to_owned(), problem, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_together() {
        let set = pattern_set("exclude", &["*.o".into(), "**/.git".into()]).unwrap();
        assert!(set.is_match("a.o") && set.is_match("b/.git") && !set.is_match("a.c"));
    }

    #[test]
    fn a_bad_pattern_is_named_with_its_place() {
        let error = pattern_set("task `a`, source", &["[".into()]).unwrap_err();
        assert!(error.to_string().starts_with("task `a`, source: `[` is not a pattern: "), "{error}");
    }
}
