//! Sources out of git repositories, by the `git` program: a commit is found, fetched into a mirror, and its files are
//! written to a directory.
//!
//! Only a commit counts; a branch or tag is a way to name one. The result of a checkout has no `.git`, so nothing of
//! the repository but the files of that commit can reach a build. What git would read from the user's configuration,
//! environment or terminal is kept away from it.

mod program;
mod submodule;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::Digest;
use program::Program;

/// How long to wait between two tries to lock a mirror.
const PATIENCE: Duration = Duration::from_millis(20);

/// A repository, and how to reach it.
pub(crate) struct Git<'a> {
    /// Where it is: `https`, `http`, `ssh`, `git` or `file` address, `host:path`, or an absolute path.
    pub(crate) url: &'a str,
    /// The source cache; a mirror of this repository is kept there as `git-<sha256 of url>`.
    pub(crate) cache_dir: &'a Path,
    /// Variables for git beside its own clean environment: `PATH`, `SSH_AUTH_SOCK`, a proxy.
    pub(crate) env: &'a [(String, String)],
    /// Forbids the network; what is mirrored already, and repositories on this machine, still serve.
    pub(crate) offline: bool,
    /// Asked often; `true` ends git, and the call with [`Error::Interrupted`].
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

impl Git<'_> {
    /// The commit that a branch, tag, full reference or commit names, as 40 (or 64) lower-case hex digits.
    pub(crate) fn resolve(&self, reference: &str) -> Result<String> {
        if is_commit(reference) {
            return Ok(reference.to_ascii_lowercase());
        }
        self.check_url()?;
        if !is_reference(reference) {
            return Err(self.error(format!("`{reference}` can be no branch, tag or commit")));
        }
        self.need_network()?;
        let patterns = candidates(reference);
        let mut args = vec!["ls-remote", "--quiet", "--", self.url];
        args.extend(patterns.iter().map(String::as_str));
        let listing = self.program().output(&args)?;
        self.choose(reference, &listing, &patterns)
    }

    /// Brings a commit into the mirror, which is returned. Nothing is asked of the network if it is there already.
    pub(crate) fn fetch(&self, commit: &str) -> Result<PathBuf> {
        self.check_url()?;
        if !is_commit(commit) {
            return Err(self.error(format!("`{commit}` is no commit; a commit has 40 or 64 hex digits")));
        }
        let mirror = self.cache_dir.join(format!("git-{}", Digest::of(self.url)));
        fs::create_dir_all(&mirror).map_err(Error::io("create", &mirror))?;
        let _lock = self.lock(&mirror)?;
        let format = if commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
        let program = self.program();
        program.run(&["init", "--quiet", "--bare", "--template=", format, "--", text(&mirror)?])?;
        let program = program.within(&mirror);
        if self.has(&program, commit)? {
            return Ok(mirror);
        }
        self.need_network()?;
        self.fetch_commit(&program, commit)?;
        Ok(mirror)
    }

    /// Writes the files of a mirrored commit into an empty directory, and those of its submodules if wanted.
    ///
    /// Executable bits and symlinks are kept; line ends and keywords change where `.gitattributes` of that commit asks
    /// for it, as in a clone.
    pub(crate) fn checkout(&self, mirror: &Path, commit: &str, dest: &Path, submodules: bool) -> Result<()> {
        self.checkout_files(mirror, commit, dest)?;
        if submodules { submodule::checkout(self, mirror, commit, dest) } else { Ok(()) }
    }

    fn checkout_files(&self, mirror: &Path, commit: &str, dest: &Path) -> Result<()> {
        let index_dir = tempfile::TempDir::new_in(mirror).map_err(Error::io("create a directory in", mirror))?;
        let index = index_dir.path().join("index");
        let program = self.program().within(mirror).with("GIT_INDEX_FILE", text(&index)?);
        program.run(&["read-tree", commit])?;
        let program = program.with("GIT_WORK_TREE", text(dest)?);
        program.run(&["checkout-index", "--all", "--quiet"])
    }

    /// Keeps other processes from fetching into the mirror until it is dropped.
    fn lock(&self, mirror: &Path) -> Result<File> {
        let path = mirror.join("cortado.lock");
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) if (self.cancelled)() => return Err(Error::Interrupted),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE),
            }
        }
    }

    /// Just this commit, or everything if the server does not give single commits.
    fn fetch_commit(&self, program: &Program, commit: &str) -> Result<()> {
        let wanted = format!("+{commit}:refs/cortado/{commit}");
        let common = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
        let shallow = [&common[..], &["--depth=1", "--", self.url, &wanted]].concat();
        match program.run(&shallow) {
            Ok(()) if self.has(program, commit)? => return Ok(()),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            _ => {}
        }
        let unshallow: &[&str] = if program.dir_has("shallow") { &["--unshallow"] } else { &[] };
        let all = ["--", self.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        program.run(&[&common[..], unshallow, &all].concat())?;
        if !self.has(program, commit)? {
            return Err(self.error(format!("commit {commit} is in none of its branches and tags")));
        }
        program.run(&["update-ref", &format!("refs/cortado/{commit}"), commit])
    }

    fn has(&self, program: &Program, commit: &str) -> Result<bool> {
        match program.run(&["cat-file", "-e", &format!("{commit}^{{commit}}")]) {
            Ok(()) => Ok(true),
            Err(Error::Git { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The commit in a listing of `ls-remote`. A tag object comes with the commit it stands for.
    fn choose(&self, reference: &str, listing: &str, candidates: &[String]) -> Result<String> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for (commit, name) in listing.lines().filter_map(|line| line.split_once('\t')) {
            let (plain, peeled) = name.strip_suffix("^{}").map_or((name, false), |plain| (plain, true));
            if !candidates.iter().any(|candidate| candidate == plain) {
                continue;
            }
            match found.iter_mut().find(|(_, known)| *known == plain) {
                Some(known) if peeled => known.0 = commit,
                Some(_) => {}
                None => found.push((commit, plain)),
            }
        }
        let Some((first, name)) = found.first() else {
            return Err(
                self.error(format!("it has no branch or tag `{reference}`; write a commit with all its digits"))
            );
        };
        match found.iter().find(|(commit, _)| commit != first) {
            Some((_, other)) => {
                Err(self.error(format!("`{reference}` is ambiguous: write `{name}` or `{other}`, which differ")))
            }
            None => Ok((*first).to_owned()),
        }
    }

    fn check_url(&self) -> Result<()> {
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme);
        let known = match scheme {
            Some(scheme) => program::PROTOCOLS.split(':').any(|known| known == scheme),
            None => self.url.starts_with('/') || self.url.contains(':'),
        };
        if !known || self.url.starts_with('-') || self.url.contains("::") || self.url.contains(char::is_control) {
            return Err(self.error("it is no https, http, ssh, git or file address, nor an absolute path"));
        }
        Ok(())
    }

    fn need_network(&self) -> Result<()> {
        let local = self.url.starts_with('/') || self.url.starts_with("file://");
        if self.offline && !local { Err(Error::Offline { url: self.shown() }) } else { Ok(()) }
    }

    fn program(&self) -> Program<'_> {
        Program::new(self.url, self.env, self.cancelled)
    }

    fn shown(&self) -> String {
        program::redact(self.url)
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        Error::Git { url: self.shown(), reason: reason.into() }
    }
}

/// Whether this is a whole commit id.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether this may be the name of a reference, by the rules of `git-check-ref-format(1)` that matter here: no
/// option, no pattern, no expression.
fn is_reference(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && !text.starts_with(['-', '/'])
        && !text.contains(odd)
        && !text.contains("..")
        && !text.contains("@{")
}

/// The full references that a name may mean.
fn candidates(reference: &str) -> Vec<String> {
    if reference == "HEAD" || reference.starts_with("refs/") {
        return vec![reference.to_owned(), format!("{reference}^{{}}")];
    }
    ["heads", "tags"]
        .map(|kind| format!("refs/{kind}/{reference}"))
        .into_iter()
        .flat_map(|name| candidates(&name))
        .collect()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::Invalid {
        place: format!("`{}`", path.display()),
        problem: "the path is not valid UTF-8".into(),
        hint: "use another work directory".into(),
    })
}
