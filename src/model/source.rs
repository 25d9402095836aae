//! Where a task's input comes from: an archive at an address, a local directory, or a git repository.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use super::checksum::Algorithm;
use super::format::Format;

/// The source of a task. Make one with [`Source::url`], [`Source::local`] or [`Source::git`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// An archive or plain file behind a URL.
    Archive(Archive),
    /// A directory of this machine, copied for each build.
    Local(Local),
    /// A commit of a git repository.
    Git(Git),
}

impl Source {
    /// An archive behind an `http`, `https` or `file` URL. It needs a checksum.
    pub fn url(url: impl Into<String>) -> Archive {
        Archive {
            url: url.into(),
            checksums: Vec::new(),
            headers: Vec::new(),
            strip: 1,
            format: None,
            retries: 2,
            timeout: Duration::from_secs(600),
        }
    }

    /// A local directory, relative to the recipe directory unless absolute. Its content counts into the shasum.
    pub fn local(path: impl Into<PathBuf>) -> Local {
        Local { path: path.into(), excludes: Vec::new() }
    }

    /// A git repository. Say which commit with [`Git::commit`], or a [`Git::reference`] to be resolved.
    pub fn git(url: impl Into<String>) -> Git {
        Git { url: url.into(), at: At::Nothing, submodules: false }
    }
}

/// An archive behind a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Archive {
    pub(crate) url: String,
    pub(crate) checksums: Vec<(Algorithm, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) strip: usize,
    pub(crate) format: Option<Format>,
    pub(crate) retries: u32,
    pub(crate) timeout: Duration,
}

impl Archive {
    /// Pins the content by its SHA-256, in hex.
    pub fn sha256(self, hex: impl Into<String>) -> Self {
        self.checksum(Algorithm::Sha256, hex)
    }

    /// Pins the content by its SHA-512, in hex.
    pub fn sha512(self, hex: impl Into<String>) -> Self {
        self.checksum(Algorithm::Sha512, hex)
    }

    /// Pins the content by its SHA-1, in hex. Forgeable: a warning event says so on each fetch.
    pub fn sha1(self, hex: impl Into<String>) -> Self {
        self.checksum(Algorithm::Sha1, hex)
    }

    /// Pins the content by its MD5, in hex. Forgeable: a warning event says so on each fetch.
    pub fn md5(self, hex: impl Into<String>) -> Self {
        self.checksum(Algorithm::Md5, hex)
    }

    /// Pins the content; of several checksums the strongest is used.
    pub fn checksum(mut self, algorithm: Algorithm, hex: impl Into<String>) -> Self {
        self.checksums.push((algorithm, hex.into().trim().to_ascii_lowercase()));
        self
    }

    /// Adds a request header. Headers do not count into the shasum and are not sent to another host on a redirect.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many leading path components of each member to drop; 1 unless said.
    pub fn strip(mut self, components: usize) -> Self {
        self.strip = components;
        self
    }

    /// The archive's format, where its name does not tell.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// How often to try again after a failed attempt; 2 unless said.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest that one attempt may take; ten minutes unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Archive")
            .field("url", &self.url)
            .field("checksums", &self.checksums)
            .field("headers", &headers)
            .field("strip", &self.strip)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// A directory of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    pub(crate) path: PathBuf,
    pub(crate) excludes: Vec<String>,
}

impl Local {
    /// Leaves out what matches a glob pattern, relative to the directory. `**/.git` leaves out every `.git`.
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.excludes.push(pattern.into());
        self
    }
}

/// A git repository at some commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Git {
    pub(crate) url: String,
    pub(crate) at: At,
    pub(crate) submodules: bool,
}

/// How a git source says which commit it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    Nothing,
    Commit(String),
    Reference(String),
}

impl Git {
    /// The commit, as 40 (or 64) hex digits.
    pub fn commit(mut self, commit: impl Into<String>) -> Self {
        self.at = At::Commit(commit.into());
        self
    }

    /// A branch or tag. It is resolved before planning, and the commit is what counts.
    pub fn reference(mut self, name: impl Into<String>) -> Self {
        self.at = At::Reference(name.into());
        self
    }

    /// Fetches submodules too.
    pub fn submodules(mut self, wanted: bool) -> Self {
        self.submodules = wanted;
        self
    }
}

/// A URL without the user name and password in it, which change without changing what the URL names.
pub(crate) fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
        None => Cow::Borrowed(url),
    }
}

impl From<Archive> for Source {
    fn from(archive: Archive) -> Self {
        Source::Archive(archive)
    }
}

impl From<Local> for Source {
    fn from(local: Local) -> Self {
        Source::Local(local)
    }
}

impl From<Git> for Source {
    fn from(git: Git) -> Self {
        Source::Git(git)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_no_part_of_where_a_source_is() {
        let plain = |url| without_credentials(url).into_owned();
        assert_eq!(plain("https://me:s3cret@example.org:8443/a@b?c"), "https://example.org:8443/a@b?c");
        assert_eq!(plain("https://a@b@example.org"), "https://example.org");
        for same in ["https://example.org/x@1.tar.gz", "git@example.org:x/y.git", "file:///srv/@x"] {
            assert_eq!(plain(same), same);
        }
    }
}
