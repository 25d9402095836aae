//! A machine to install on, and what tasks stage for it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::*;
use crate::cache::trees::{TreeDraft, Trees};
use crate::host::layout::Layout;

/// A machine: a place for the product, and a work directory.
pub(super) struct Machine {
    pub(super) room: tempfile::TempDir,
    pub(super) trees: Trees,
    pub(super) state: Mutex<State>,
    pub(super) options: InstallOptions,
    pub(super) planned: Vec<(&'static str, &'static str)>,
    /// Whether trees have the directories above the install directory.
    pub(super) whole: bool,
}

/// What a task stages below the install directory.
#[derive(Clone, Copy)]
pub(super) enum Staged<'a> {
    File(&'a str),
    Exec(&'a str),
    Link(&'a str),
    Dir,
    Locked,
}
use Staged::*;

pub(super) fn machine() -> Machine {
    let room = tempfile::tempdir().unwrap();
    let trees = Trees::open(&room.path().join("work/trees")).unwrap();
    let state = Mutex::new(State::open(&room.path().join("work/state"), &room.path().join("opt/shop")).unwrap());
    let options = InstallOptions { install_dir: room.path().join("opt/shop"), ..InstallOptions::default() };
    Machine { room, trees, state, options, planned: Vec::new(), whole: false }
}

impl Machine {
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.options.install_dir.join(path)
    }

    pub(super) fn tree(&self, tag: &str, staged: &[(&str, Staged<'_>)]) -> Tree {
        self.tree_below(&self.options.install_dir, tag, staged)
    }

    pub(super) fn tree_below(&self, dir: &Path, tag: &str, staged: &[(&str, Staged<'_>)]) -> Tree {
        let draft = self.trees.begin(tag).unwrap();
        let root = draft.path().join(dir.strip_prefix("/").unwrap());
        fs::create_dir_all(&root).unwrap();
        for (path, staged) in staged {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match staged {
                File(text) | Exec(text) => fs::write(&path, text).unwrap(),
                Link(target) => symlink(target, &path).unwrap(),
                Dir | Locked => fs::create_dir_all(&path).unwrap(),
            }
            if let Exec(_) = staged {
                fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
            }
        }
        for (path, _) in staged.iter().filter(|(_, staged)| matches!(staged, Locked)) {
            fs::set_permissions(root.join(path), Permissions::from_mode(0o555)).unwrap();
        }
        let lies_inside = dir.starts_with(&self.options.install_dir);
        if self.whole || !lies_inside {
            draft.seal(0, None)
        } else {
            self.without_those_above(&draft, tag).seal(0, None)
        }
        .unwrap()
    }

    /// A draft of the same without the directories above the install directory, as one that is restored.
    fn without_those_above(&self, draft: &TreeDraft<'_>, tag: &str) -> TreeDraft<'_> {
        let top = self.options.install_dir.strip_prefix("/").unwrap();
        let entries = crate::host::listing::Listing::of(draft.path()).unwrap().entries;
        let room = self.room.path().join("room");
        fs::rename(draft.path().join(top), &room).unwrap();
        self.trees.adopt(Layout::below(&room, top), entries, tag)
    }

    pub(super) fn installer(&self) -> Installer<'_> {
        let mut installer = Installer::new(self.options.clone(), &self.state);
        installer.expect(self.planned.iter().copied());
        installer
    }

    pub(super) fn install(&self, task: &str, tag: &str, staged: &[(&str, Staged<'_>)]) -> Result<Counts> {
        self.install_over(task, tag, staged, &[])
    }

    pub(super) fn install_over(
        &self,
        task: &str,
        tag: &str,
        staged: &[(&str, Staged<'_>)],
        overrides: &[&str],
    ) -> Result<Counts> {
        let overrides: Vec<String> = overrides.iter().map(|task| (*task).to_owned()).collect();
        self.installer().install(task, tag, &self.tree(tag, staged), &overrides)
    }

    pub(super) fn verify(&self, task: &str, tag: &str) -> Verdict {
        let overrides = self.state.lock().unwrap().installed(task).map(|installed| installed.overrides);
        self.installer().verify(task, tag, &overrides.unwrap_or_default())
    }

    pub(super) fn damage(&self, task: &str, tag: &str) -> String {
        match self.verify(task, tag) {
            Verdict::Damaged { path, why } => format!("{} {why}", self.shown(&path)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    /// Everything below the install directory.
    pub(super) fn installed(&self) -> Vec<String> {
        let listing = crate::host::listing::Listing::of(&self.options.install_dir).unwrap();
        listing.entries.iter().map(|entry| entry.path.to_str().unwrap().to_owned()).collect()
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.options.install_dir).unwrap().display().to_string()
    }

    /// The error's text, with paths from the install directory.
    pub(super) fn refusal(&self, result: Result<Counts>) -> String {
        result.unwrap_err().to_string().replace(&format!("{}/", self.options.install_dir.display()), "")
    }
}

pub(super) fn counts(written: usize, kept: usize, lost: usize, removed: usize) -> Counts {
    Counts { written, kept, lost, removed }
}
