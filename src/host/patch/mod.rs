//! Applying a patch to a directory, like `patch -pN`: unified diffs of any number of files, also as git writes them.
//!
//! All or nothing: every file is computed in memory first, and nothing is written if any hunk is rejected. Nothing is
//! written outside the directory or through a symlink. Reading the patch is in [`parse`] and [`header`], finding the
//! place of a hunk in [`place`], the files before and after in [`tree`].

mod diff;
mod header;
mod parse;
mod place;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use diff::{Change, FileDiff};
pub(crate) use place::Placed;
use tree::{Content, Tree};

/// A file that a patch changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppliedFile {
    /// Its path below the directory; after a rename, the new one.
    pub(crate) path: PathBuf,
    /// Where its hunks fit.
    pub(crate) hunks: Vec<Placed>,
}

/// Applies a patch to a directory, dropping `strip` leading directories of its file names.
///
/// `name` stands for the patch in errors. An error means that nothing was changed, except [`Error::Io`], which may
/// come between two files.
pub(crate) fn apply(patch: &[u8], name: &str, dir: &Path, strip: usize) -> Result<Vec<AppliedFile>> {
    let diffs = parse::parse(patch)
        .map_err(|malformed| rejected(name, &format!("line {}", malformed.line), Rejection::file(malformed.problem)))?;
    let mut tree = Tree::new(dir);
    let mut applied = Vec::new();
    for diff in &diffs {
        applied.push(apply_file(diff, &mut tree, strip).map_err(|failure| match failure {
            Failure::Rejected(file, rejection) => rejected(name, &file, rejection),
            Failure::Other(error) => error,
        })?);
    }
    tree.write()?;
    Ok(applied)
}

/// Why a diff does not apply; without a number it concerns the whole file.
#[derive(Debug)]
struct Rejection {
    hunk: usize,
    reason: String,
}

impl Rejection {
    fn file(reason: impl Into<String>) -> Self {
        Self { hunk: 0, reason: reason.into() }
    }
}

enum Failure {
    Rejected(String, Rejection),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

fn rejected(patch: &str, file: &str, rejection: Rejection) -> Error {
    Error::Patch { patch: patch.to_owned(), file: file.to_owned(), hunk: rejection.hunk, reason: rejection.reason }
}

fn apply_file(diff: &FileDiff, tree: &mut Tree, strip: usize) -> Result<AppliedFile, Failure> {
    let refuse = |rejection| Failure::Rejected(diff.shown(), rejection);
    if diff.is_empty() {
        return Err(refuse(Rejection::file("the patch names it but holds no hunk for it")));
    }
    let (from, to) = paths(diff, tree, strip)?;
    let refuse_path = |rejection| Failure::Rejected(from.display().to_string(), rejection);
    let before = tree.read(&from)?;
    let before = starting_point(diff, before).map_err(refuse_path)?;
    let (bytes, hunks) = place::apply(&diff.hunks, &before.bytes).map_err(refuse_path)?;
    let deleted = deletes(diff, &bytes).map_err(refuse_path)?;
    if from != to && tree.read(&to)?.is_some() {
        return Err(refuse(Rejection::file(format!("`{}` exists already", to.display()))));
    }
    if diff.change == Change::Rename {
        tree.put(&from, None);
    }
    let mode = diff.new_mode.map_or(before.mode, |mode| if mode & 0o100 != 0 { 0o755 } else { 0o644 });
    tree.put(&to, (!deleted).then_some(Content { bytes, mode }));
    Ok(AppliedFile { path: to, hunks })
}

/// The file to read and the file to write.
fn paths(diff: &FileDiff, tree: &Tree, strip: usize) -> Result<(PathBuf, PathBuf), Failure> {
    let refuse = |reason: &str| Failure::Rejected(diff.shown(), Rejection::file(reason));
    let inside = |name: Option<&Vec<u8>>, strip| match name {
        Some(name) => tree::relative(name, strip).map_err(refuse),
        None => Ok(None),
    };
    // `rename from` and `copy from` lines name files without the `a/` and `b/` of the others.
    let bare = usize::from(diff.bare_names);
    let old = inside(diff.old.as_ref(), strip.saturating_sub(bare))?;
    let new = inside(diff.new.as_ref(), strip.saturating_sub(bare))?;
    match (old, new) {
        (None, None) => Err(refuse(&format!("its name has no {strip} leading directories to strip"))),
        (Some(old), Some(new)) if matches!(diff.change, Change::Rename | Change::Copy) => Ok((old, new)),
        (Some(old), Some(new)) => {
            let path = likelier(old, new, tree)?;
            Ok((path.clone(), path))
        }
        (Some(path), None) | (None, Some(path)) => Ok((path.clone(), path)),
    }
}

/// Which of the two names of a diff is the file: one that exists, and of two the simpler (`a.c`, not `a.c.orig`).
fn likelier(old: PathBuf, new: PathBuf, tree: &Tree) -> Result<PathBuf> {
    let simplicity = |path: &PathBuf| {
        let base = path.file_name().map_or(0, |name| name.len());
        (path.components().count(), base, path.as_os_str().len())
    };
    let (has_old, has_new) = (tree.read(&old)?.is_some(), tree.read(&new)?.is_some());
    Ok(match (has_old, has_new) {
        (true, false) => old,
        (true, true) if simplicity(&old) <= simplicity(&new) => old,
        _ => new,
    })
}

/// What the hunks are applied to.
fn starting_point(diff: &FileDiff, before: Option<Content>) -> Result<Content, Rejection> {
    let creates = diff.change == Change::Create;
    match before {
        Some(file) if creates && !file.bytes.is_empty() => {
            let same = place::apply(&diff.hunks, b"").is_ok_and(|(bytes, _)| bytes == file.bytes);
            Err(Rejection::file(if same { place::ALREADY } else { "the patch creates it, but it exists already" }))
        }
        Some(file) => Ok(file),
        None if creates || diff.starts_from_nothing() => Ok(Content { bytes: Vec::new(), mode: 0o644 }),
        None if diff.change == Change::Delete => Err(Rejection::file(place::ALREADY)),
        None => Err(Rejection::file("there is no such file")),
    }
}

/// Whether the file goes away.
fn deletes(diff: &FileDiff, bytes: &[u8]) -> Result<bool, Rejection> {
    match diff.change {
        Change::Delete if !bytes.is_empty() => {
            Err(Rejection::file("the patch deletes it, but it holds more than the patch says"))
        }
        Change::Delete => Ok(true),
        _ => Ok(diff.ends_in_nothing && bytes.is_empty()),
    }
}
