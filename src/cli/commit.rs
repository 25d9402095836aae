//! The commit that a directory is checked out at, read from git's own files: no program is started for it.

use std::fs;
use std::path::{Path, PathBuf};

/// The commit of the repository that `dir` lies in; `None` where there is none, or it cannot be told that simply.
pub(super) fn of(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let git = dir.ancestors().find_map(|dir| git_dir(&dir.join(".git")))?;
    let head = read(&git.join("HEAD"))?;
    match head.strip_prefix("ref: ") {
        None => commit(&head),
        Some(name) => resolve(&git, name),
    }
}

/// The directory behind `.git`, which is a file in worktrees and submodules.
fn git_dir(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_path_buf());
    }
    let text = read(path)?;
    Some(path.parent()?.join(text.strip_prefix("gitdir: ")?))
}

/// The commit of a branch: from its file, or from the list of those that are packed.
fn resolve(git: &Path, name: &str) -> Option<String> {
    let common = read(&git.join("commondir")).map_or_else(|| git.to_path_buf(), |dir| git.join(dir));
    let loose = [git, &common].into_iter().find_map(|dir| commit(&read(&dir.join(name))?));
    loose.or_else(|| {
        let packed = fs::read_to_string(common.join("packed-refs")).ok()?;
        packed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(_, packed)| *packed == name)
            .and_then(|(id, _)| commit(id))
    })
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The text, if it is the digest of a commit: 40 digits, or 64 in newer repositories.
fn commit(text: &str) -> Option<String> {
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn a_branch_is_loose_or_packed_and_a_head_may_be_detached() {
        let loose =
            repository(&[(".git/HEAD", "ref: refs/heads/main\n"), (".git/refs/heads/main", ONE), ("a/b/c", "")]);
        assert_eq!(of(&loose.path().join("a/b")).as_deref(), Some(ONE));
        let packed = format!("# pack-refs with: peeled\n{TWO} refs/heads/other\n{ONE} refs/heads/main\n");
        let packed = repository(&[(".git/HEAD", "ref: refs/heads/main\n"), (".git/packed-refs", &packed)]);
        assert_eq!(of(packed.path()).as_deref(), Some(ONE));
        assert_eq!(of(repository(&[(".git/HEAD", TWO)]).path()).as_deref(), Some(TWO));
    }

    #[test]
    fn a_worktree_has_its_head_elsewhere() {
        let dir = repository(&[
            ("main/.git/refs/heads/side", ONE),
            ("main/.git/worktrees/side/HEAD", "ref: refs/heads/side\n"),
            ("main/.git/worktrees/side/commondir", "../..\n"),
            ("side/.git", "gitdir: ../main/.git/worktrees/side\n"),
        ]);
        assert_eq!(of(&dir.path().join("side")).as_deref(), Some(ONE));
    }

    #[test]
    fn what_is_no_repository_has_no_commit() {
        assert_eq!(of(repository(&[(".git/HEAD", "ref: refs/heads/main\n")]).path()), None);
        assert_eq!(of(Path::new("/nonexistent")), None);
    }
}
