//! Submodules: commits of other repositories that a commit puts into directories of its own.
//!
//! They are fetched and checked out like any repository of a recipe, so the rules for addresses hold for them too;
//! `git submodule` would need a clone.

use std::fs;
use std::path::{Component, Path};

use super::{Git, program::Program};
use crate::error::{Error, Result};

/// How deep submodules may lie in each other; a circle of them has no end.
const DEPTH_MAX: usize = 10;

/// Checks out the submodules of a commit, and theirs, into the directories below `dest` that they name.
pub(super) fn checkout(git: &Git, mirror: &Path, commit: &str, dest: &Path) -> Result<()> {
    checkout_below(git, mirror, commit, dest, DEPTH_MAX)
}

fn checkout_below(git: &Git, mirror: &Path, commit: &str, dest: &Path, depth: usize) -> Result<()> {
    let program = git.program().within(mirror);
    let tree = program.output(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
    let entries = tree.split('\0').filter_map(|entry| entry.strip_prefix("160000 commit ")?.split_once('\t'));
    for (wanted, path) in entries {
        if depth == 0 {
            return Err(git.error(format!("its submodules lie more than {DEPTH_MAX} deep in each other")));
        }
        let url = join(git.url, &declared(git, &program, commit, path)?);
        let submodule = Git { url: &url, ..*git };
        let mirror = submodule.fetch(wanted)?;
        let dir = directory(git, dest, path)?;
        submodule.checkout_files(&mirror, wanted, &dir)?;
        checkout_below(&submodule, &mirror, wanted, &dir, depth - 1)?;
    }
    Ok(())
}

/// The address that `.gitmodules` gives for the submodule at `path`.
fn declared(git: &Git, program: &Program, commit: &str, path: &str) -> Result<String> {
    let blob = format!("{commit}:.gitmodules");
    let config = |key: &str| program.output(&["config", "--null", "--blob", &blob, "--get-regexp", key]);
    let undeclared = || git.error(format!("`.gitmodules` says nothing about the submodule `{path}`"));
    let paths = config(r"^submodule\..*\.path$").map_err(|_| undeclared())?;
    let mut pairs = paths.split('\0').filter_map(|pair| pair.split_once('\n'));
    let (key, _) = pairs.find(|(_, value)| value.trim_end_matches('/') == path).ok_or_else(undeclared)?;
    let name = key.strip_suffix(".path").unwrap_or(key);
    let urls = config(r"^submodule\..*\.url$").map_err(|_| undeclared())?;
    let mut pairs = urls.split('\0').filter_map(|pair| pair.split_once('\n'));
    let url = pairs.find(|(key, _)| key.strip_suffix(".url") == Some(name)).map(|(_, url)| url.to_owned());
    url.ok_or_else(undeclared)
}

/// The submodule's directory, made if git did not; nothing on the way may be a symlink.
fn directory(git: &Git, dest: &Path, path: &str) -> Result<std::path::PathBuf> {
    let mut dir = dest.to_path_buf();
    for component in Path::new(path).components() {
        let Component::Normal(part) = component else {
            return Err(git.error(format!("the submodule `{path}` leads out of the source directory")));
        };
        dir.push(part);
        if dir.is_symlink() {
            return Err(git.error(format!("the submodule `{path}` leads through a symlink")));
        }
    }
    fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
    Ok(dir)
}

/// A submodule's address, which may be relative to that of its parent: `../other.git`.
fn join(parent: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (mut base, mut rest) = (parent.trim_end_matches('/'), url);
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            rest = after;
            base = base.rfind(['/', ':']).and_then(|cut| base.get(..cut)).unwrap_or(base);
        } else {
            let between = if parent.contains("://") || base.contains([':', '/']) { "/" } else { ":" };
            return format!("{base}{between}{rest}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_start_at_the_parent() {
        assert_eq!(join("https://a.org/x/y.git", "../z.git"), "https://a.org/x/z.git");
        assert_eq!(join("https://a.org/x/y.git/", "../../z.git"), "https://a.org/z.git");
        assert_eq!(join("git@a.org:x/y.git", "../z.git"), "git@a.org:x/z.git");
        assert_eq!(join("git@a.org:y.git", "../z.git"), "git@a.org:z.git");
        assert_eq!(join("/srv/y", "./z"), "/srv/y/z");
        assert_eq!(join("/srv/y", "https://b.org/z"), "https://b.org/z");
    }
}
