//! Glob patterns to paths, the way a shell does it.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::names;
use crate::error::{Error, Result};
use crate::host::fs::probe;

/// The paths that a pattern matches, sorted.
///
/// `*`, `?`, `[…]` and `{a,b}` match within one name, `**` any number of directories; a name that starts with a dot is
/// matched only by a pattern that does. A path that exists as written stands for itself, whatever characters it has.
///
/// # Errors
///
/// Nothing matches, or the pattern is malformed.
pub(crate) fn expand(pattern: &Path) -> Result<Vec<PathBuf>> {
    if probe(pattern)?.is_some() {
        return Ok(vec![pattern.to_path_buf()]);
    }
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        found = step(&found, component, pattern)?;
    }
    found.sort();
    found.dedup();
    match found.is_empty() {
        true => Err(Error::io("find", pattern)(io::Error::new(ErrorKind::NotFound, "nothing has this name"))),
        false => Ok(found),
    }
}

/// One component further from every path found so far.
fn step(found: &[PathBuf], component: Component<'_>, pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut next = Vec::new();
    match component {
        Component::Normal(name) if name == "**" => {
            for dir in found {
                descend(dir, &mut next)?;
            }
        }
        Component::Normal(name) if is_pattern(name) => {
            let matcher = matcher(name, pattern)?;
            for dir in found.iter().filter(|dir| here(dir).is_dir()) {
                let fits = |entry: &OsStr| matcher.is_match(entry) && (!is_hidden(entry) || is_hidden(name));
                next.extend(names(here(dir))?.iter().filter(|entry| fits(entry)).map(|entry| dir.join(entry)));
            }
        }
        literal => {
            let joined = found.iter().map(|dir| dir.join(literal));
            next.extend(joined.filter(|path| path.symlink_metadata().is_ok()));
        }
    }
    Ok(next)
}

/// A directory and every directory below it; symlinks are not entered, hidden ones are left out.
fn descend(dir: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    into.push(dir.to_path_buf());
    for name in names(here(dir))? {
        let path = dir.join(&name);
        if !is_hidden(&name) && probe(&path)?.is_some_and(|found| found.is_dir()) {
            descend(&path, into)?;
        }
    }
    Ok(())
}

fn matcher(name: &OsStr, pattern: &Path) -> Result<GlobMatcher> {
    let malformed = |why: String| Error::io("understand the pattern", pattern)(io::Error::other(why));
    let text = name.to_str().ok_or_else(|| malformed("it is not UTF-8".to_owned()))?;
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    Ok(glob.map_err(|error| malformed(error.kind().to_string()))?.compile_matcher())
}

fn is_pattern(name: &OsStr) -> bool {
    name.as_bytes().iter().any(|byte| b"*?[{\\".contains(byte))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// The empty path of a relative pattern is the current directory.
fn here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn project(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
            fs::write(dir.path().join(file), "").unwrap();
        }
        dir
    }

    fn matches(dir: &tempfile::TempDir, pattern: &str) -> Vec<String> {
        let found = expand(&dir.path().join(pattern)).unwrap();
        found.iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn patterns_match_names_and_come_sorted() {
        let dir = project(&["lib/b.so", "lib/a.so", "lib/a.h", "lib/.hidden.so", "bin/a.so", "lib/deep/er/c.so"]);
        assert_eq!(matches(&dir, "lib/*.so"), ["lib/a.so", "lib/b.so"]);
        assert_eq!(matches(&dir, "*/a.{h,so}"), ["bin/a.so", "lib/a.h", "lib/a.so"]);
        assert_eq!(matches(&dir, "lib/**/[bc].so"), ["lib/b.so", "lib/deep/er/c.so"]);
        assert_eq!(matches(&dir, "lib/.*.so"), ["lib/.hidden.so"]);
    }

    #[test]
    fn a_path_that_exists_is_not_a_pattern() {
        let dir = project(&["a[1]", "a1"]);
        assert_eq!(matches(&dir, "a[1]"), ["a[1]"]);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error_that_shows_it() {
        let dir = project(&["a.c"]);
        for pattern in ["*.h", "missing", "a.c/*"] {
            let error = expand(&dir.path().join(pattern)).unwrap_err().to_string();
            assert!(error.contains(&format!("{pattern}`: nothing has this name")), "{error}");
        }
        assert!(expand(&dir.path().join("[z")).unwrap_err().to_string().contains("understand the pattern"));
    }
}
