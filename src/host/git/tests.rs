//! Git sources out of repositories made for the test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Git;
use crate::error::{Error, Result};

/// A directory with repositories, a source cache, and room to check out.
struct Desk {
    dir: TempDir,
    env: Vec<(String, String)>,
    offline: bool,
}

impl Desk {
    fn new() -> Self {
        let path = std::env::var("PATH").unwrap();
        Self { dir: TempDir::new().unwrap(), env: vec![("PATH".into(), path)], offline: false }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    /// Runs git in a repository, as its author.
    fn author(&self, repository: &str, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=A", "-c", "user.email=a@a.org", "-c", "protocol.file.allow=always"]).args(args);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.current_dir(self.path(repository)).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A repository with one commit of these files.
    fn repository(&self, name: &str, files: &[(&str, &str)]) -> String {
        fs::create_dir(self.path(name)).unwrap();
        self.author(name, &["init", "-q", "-b", "main"]);
        self.commit(name, files)
    }

    fn commit(&self, name: &str, files: &[(&str, &str)]) -> String {
        for (file, content) in files {
            fs::write(self.path(name).join(file), content).unwrap();
        }
        self.author(name, &["add", "-A"]);
        self.author(name, &["commit", "-q", "-m", "change"]);
        self.author(name, &["rev-parse", "HEAD"])
    }

    fn git<T>(&self, url: &str, act: impl FnOnce(&Git) -> Result<T>) -> Result<T> {
        let cache_dir = self.path("sources");
        act(&Git { url, cache_dir: &cache_dir, env: &self.env, offline: self.offline, cancelled: &|| false })
    }

    fn resolve(&self, name: &str, reference: &str) -> Result<String> {
        self.git(&self.url(name), |git| git.resolve(reference))
    }

    /// Fetches and checks out a commit; its directory.
    fn checkout(&self, name: &str, commit: &str, submodules: bool) -> Result<PathBuf> {
        let dest = self.path(&format!("out-{commit}"));
        let _ = fs::remove_dir_all(&dest);
        fs::create_dir(&dest).unwrap();
        self.git(&self.url(name), |git| {
            let mirror = git.fetch(commit)?;
            git.checkout(&mirror, commit, &dest, submodules)
        })?;
        Ok(dest)
    }
}

#[test]
fn branches_tags_and_commits_name_a_commit() {
    let desk = Desk::new();
    let first = desk.repository("repo", &[("f", "1")]);
    desk.author("repo", &["tag", "light"]);
    desk.author("repo", &["tag", "-a", "-m", "x", "v1"]);
    let second = desk.commit("repo", &[("f", "2")]);
    for (reference, commit) in
        [("main", &second), ("HEAD", &second), ("light", &first), ("v1", &first), ("refs/tags/v1", &first)]
    {
        assert_eq!(desk.resolve("repo", reference).unwrap(), *commit, "{reference}");
    }
    assert_eq!(desk.resolve("nowhere", &first.to_uppercase()).unwrap(), first, "a commit needs no question");
}

#[test]
fn a_name_that_is_unknown_or_means_two_things_is_refused() {
    let desk = Desk::new();
    desk.repository("repo", &[("f", "1")]);
    desk.author("repo", &["tag", "main"]);
    assert!(desk.resolve("repo", "main").is_ok(), "both are one commit");
    desk.commit("repo", &[("f", "2")]);
    let reason = |reference| match desk.resolve("repo", reference) {
        Err(Error::Git { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason("main"), "`main` is ambiguous: write `refs/heads/main` or `refs/tags/main`, which differ");
    assert_eq!(reason("no"), "it has no branch or tag `no`; write a commit with all its digits");
    for injected in ["--upload-pack=touch evil", "-x", "main^", "*", "a b", "", "HEAD@{1}", "a..b"] {
        assert_eq!(reason(injected), format!("`{injected}` can be no branch, tag or commit"));
    }
}

#[test]
fn addresses_cannot_carry_options_or_commands() {
    let desk = Desk::new();
    for url in ["--upload-pack=x", "ext::sh -c x", "relative/path", "ftp://a.org/x", "", "fd::1:x"] {
        let error = desk.git(url, |git| git.fetch(&"a".repeat(40))).unwrap_err().to_string();
        assert!(error.ends_with("it is no https, http, ssh, git or file address, nor an absolute path"), "{error}");
    }
}

#[test]
fn a_checkout_has_the_files_of_the_commit_and_nothing_else() {
    let desk = Desk::new();
    desk.repository("repo", &[("run", "#!\n"), ("kept.txt", "a\n"), (".gitattributes", "kept.txt export-ignore\n")]);
    fs::set_permissions(desk.path("repo/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("run", desk.path("repo/link")).unwrap();
    let old = desk.commit("repo", &[]);
    desk.commit("repo", &[("later", "x")]);
    let dest = desk.checkout("repo", &old, false).unwrap();
    assert_eq!(fs::metadata(dest.join("run")).unwrap().permissions().mode() & 0o100, 0o100);
    assert_eq!(fs::read_link(dest.join("link")).unwrap(), Path::new("run"));
    assert!(dest.join("kept.txt").exists());
    assert!(!dest.join(".git").exists() && !dest.join("later").exists());
}

#[test]
fn what_is_mirrored_needs_no_repository_any_more() {
    let desk = Desk::new();
    let commit = desk.repository("repo", &[("f", "1")]);
    desk.checkout("repo", &commit, false).unwrap();
    fs::remove_dir_all(desk.path("repo")).unwrap();
    assert!(desk.checkout("repo", &commit, false).is_ok());
    let error = desk.checkout("repo", &"a".repeat(40), false).unwrap_err().to_string();
    assert!(error.contains("does not appear to be a git repository") || error.contains("does not exist"), "{error}");
}

#[test]
fn a_commit_that_the_server_does_not_give_alone_is_found_among_all() {
    let mut desk = Desk::new();
    // Without version 2 of the protocol, only tips of branches and tags may be asked for.
    let old = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "protocol.version"), ("GIT_CONFIG_VALUE_0", "0")];
    desk.env.extend(old.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let first = desk.repository("repo", &[("f", "1")]);
    let second = desk.commit("repo", &[("f", "2")]);
    desk.checkout("repo", &second, false).unwrap();
    let dest = desk.checkout("repo", &first, false).unwrap();
    assert_eq!(fs::read_to_string(dest.join("f")).unwrap(), "1");
    let unknown = "b".repeat(40);
    let error = desk.checkout("repo", &unknown, false).unwrap_err().to_string();
    assert!(error.ends_with(&format!("commit {unknown} is in none of its branches and tags")), "{error}");
}

#[test]
fn submodules_are_checked_out_into_each_other_when_wanted() {
    let desk = Desk::new();
    desk.repository("inner", &[("deep", "1")]);
    desk.repository("middle", &[("f", "1")]);
    desk.author("middle", &["submodule", "--quiet", "add", "../inner", "sub/inner"]);
    desk.commit("middle", &[]);
    desk.repository("outer", &[("f", "1")]);
    desk.author("outer", &["submodule", "--quiet", "add", &desk.url("middle"), "middle"]);
    let commit = desk.commit("outer", &[]);
    let dest = desk.checkout("outer", &commit, false).unwrap();
    assert!(!dest.join("middle/f").exists());
    let dest = desk.checkout("outer", &commit, true).unwrap();
    assert_eq!(fs::read_to_string(dest.join("middle/sub/inner/deep")).unwrap(), "1");
}

#[test]
fn a_missing_git_is_named() {
    let mut desk = Desk::new();
    desk.env = vec![("PATH".into(), desk.path("").display().to_string())];
    let error = desk.resolve("repo", "main").unwrap_err().to_string();
    assert!(error.ends_with("the program `git` is not installed, or not in its PATH"), "{error}");
}

#[test]
fn offline_asks_no_server_and_shows_no_credentials() {
    let mut desk = Desk::new();
    desk.offline = true;
    let error = desk.git("https://me:secret@example.invalid/x.git", |git| git.resolve("main")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`https://example.invalid/x.git` is not in the source cache, and the network is forbidden"
    );
}

#[test]
fn a_cancelled_run_ends_git() {
    let desk = Desk::new();
    desk.repository("repo", &[("f", "1")]);
    let (url, cache_dir) = (desk.url("repo"), desk.path("sources"));
    let git = Git { url: &url, cache_dir: &cache_dir, env: &desk.env, offline: false, cancelled: &|| true };
    assert!(matches!(git.resolve("main"), Err(Error::Interrupted)));
}
