//! `source`: a table that says where a task's input comes from. Its key `url`, `path` or `git` tells which kind it is.

use mlua::{Table, Value};

use super::mistake::Mistake;
use super::table::{self, Word};
use super::value::{flag, seconds, text, text_map, texts, whole};
use crate::{Algorithm, Archive, Format, Git, Local, Source};

/// The keys of an archive behind a URL.
pub(super) const URL: &[Word<Archive>] = &[
    Word { name: "url", set: |archive, _| Ok(archive) },
    Word { name: "sha256", set: |archive, value| text(value).map(|hex| archive.checksum(Algorithm::Sha256, hex)) },
    Word { name: "sha512", set: |archive, value| text(value).map(|hex| archive.checksum(Algorithm::Sha512, hex)) },
    Word { name: "sha1", set: |archive, value| text(value).map(|hex| archive.checksum(Algorithm::Sha1, hex)) },
    Word { name: "md5", set: |archive, value| text(value).map(|hex| archive.checksum(Algorithm::Md5, hex)) },
    Word {
        name: "headers",
        set: |archive, value| {
            Ok(text_map(value)?.into_iter().fold(archive, |archive, (name, value)| archive.header(name, value)))
        },
    },
    Word { name: "strip", set: |archive, value| whole(value).map(|strip| archive.strip(strip)) },
    Word { name: "format", set: |archive, value| format(value).map(|format| archive.format(format)) },
    Word { name: "retries", set: |archive, value| whole(value).map(|retries| archive.retries(retries)) },
    Word { name: "timeout", set: |archive, value| seconds(value).map(|timeout| archive.timeout(timeout)) },
];

/// The keys of a local directory.
pub(super) const PATH: &[Word<Local>] = &[
    Word { name: "path", set: |local, _| Ok(local) },
    Word { name: "exclude", set: |local, value| Ok(texts(value)?.into_iter().fold(local, Local::exclude)) },
];

/// The keys of a git repository.
pub(super) const GIT: &[Word<Git>] = &[
    Word { name: "git", set: |git, _| Ok(git) },
    Word { name: "commit", set: |git, value| text(value).map(|commit| git.commit(commit)) },
    Word { name: "reference", set: |git, value| text(value).map(|name| git.reference(name)) },
    Word { name: "submodules", set: |git, value| flag(value).map(|wanted| git.submodules(wanted)) },
];

/// Reads a source.
pub(super) fn read(value: &Value) -> Result<Source, Mistake> {
    let Value::Table(options) = value else {
        let hint = "write { url = \"…\", sha256 = \"…\" }, { path = \"…\" } or { git = \"…\", commit = \"…\" }";
        return Err(Mistake::expected("a table", value).hint(hint));
    };
    let url = given(options, "url")?;
    let path = given(options, "path")?;
    let git = given(options, "git")?;
    match (url, path, git) {
        (Some(url), None, None) => apply(Source::url(url), options, URL).map(Source::from),
        (None, Some(path), None) => apply(Source::local(path), options, PATH).map(Source::from),
        (None, None, Some(git)) if options.contains_key("commit").unwrap_or(false) => both(options, Source::git(git)),
        (None, None, Some(git)) => apply(Source::git(git), options, GIT).map(Source::from),
        (None, None, None) => Err(Mistake::key("does not say where from").hint("give it `url`, `path` or `git`")),
        _ => Err(Mistake::key("says more than one place").hint("give it one of `url`, `path` and `git`")),
    }
}

/// A git source with a commit must not name a reference too: one of them would be ignored.
fn both(options: &Table, git: Git) -> Result<Source, Mistake> {
    if options.contains_key("reference").unwrap_or(false) {
        return Err(Mistake::key("has both `commit` and `reference`").hint("keep the one that is meant"));
    }
    apply(git, options, GIT).map(Source::from)
}

fn given(options: &Table, key: &str) -> Result<Option<String>, Mistake> {
    match options.raw_get(key) {
        Ok(Value::Nil) | Err(_) => Ok(None),
        Ok(value) => text(&value).map(Some).map_err(|mistake| mistake.at(key)),
    }
}

fn apply<T>(source: T, options: &Table, words: &'static [Word<T>]) -> Result<T, Mistake> {
    table::apply(source, options, words).map_err(|error| match error.downcast_ref::<Mistake>() {
        Some(mistake) => mistake.clone(),
        None => Mistake::key(error.to_string()),
    })
}

fn format(value: &Value) -> Result<Format, Mistake> {
    text(value)?.parse().map_err(|error: crate::NotAFormat| Mistake::key(format!("is unknown: {error}")))
}
