//! Stories of products: installed, upgraded, disputed, damaged and taken away.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use globset::{Glob, GlobSetBuilder};

use super::*;
use crate::cache::trees::{TreeDraft, TreeState, Trees};
use crate::error::Error;
use crate::host::layout::Layout;

/// A machine: a place for the product, and a work directory.
struct Machine {
    room: tempfile::TempDir,
    trees: Trees,
    state: Mutex<State>,
    options: InstallOptions,
    planned: Vec<(&'static str, &'static str)>,
    /// Whether trees have the directories above the install directory.
    whole: bool,
}

/// What a task stages below the install directory.
#[derive(Clone, Copy)]
enum Staged<'a> {
    File(&'a str),
    Exec(&'a str),
    Link(&'a str),
    Dir,
    Locked,
}
use Staged::*;

fn machine() -> Machine {
    let room = tempfile::tempdir().unwrap();
    let trees = Trees::open(&room.path().join("work/trees")).unwrap();
    let state = Mutex::new(State::open(&room.path().join("work/state"), &room.path().join("opt/shop")).unwrap());
    let options = InstallOptions { install_dir: room.path().join("opt/shop"), ..InstallOptions::default() };
    Machine { room, trees, state, options, planned: Vec::new(), whole: false }
}

impl Machine {
    fn at(&self, path: &str) -> PathBuf {
        self.options.install_dir.join(path)
    }

    fn tree(&self, tag: &str, staged: &[(&str, Staged<'_>)]) -> Tree {
        self.tree_below(&self.options.install_dir, tag, staged)
    }

    fn tree_below(&self, dir: &Path, tag: &str, staged: &[(&str, Staged<'_>)]) -> Tree {
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

    fn installer(&self) -> Installer<'_> {
        let mut installer = Installer::new(self.options.clone(), &self.state);
        installer.expect(self.planned.iter().copied());
        installer
    }

    fn install(&self, task: &str, tag: &str, staged: &[(&str, Staged<'_>)]) -> Result<Counts> {
        self.install_over(task, tag, staged, &[])
    }

    fn install_over(&self, task: &str, tag: &str, staged: &[(&str, Staged<'_>)], overrides: &[&str]) -> Result<Counts> {
        let overrides: Vec<String> = overrides.iter().map(|task| (*task).to_owned()).collect();
        self.installer().install(task, tag, &self.tree(tag, staged), &overrides)
    }

    fn verify(&self, task: &str, tag: &str) -> Verdict {
        let overrides = self.state.lock().unwrap().installed(task).map(|installed| installed.overrides);
        self.installer().verify(task, tag, &overrides.unwrap_or_default())
    }

    fn damage(&self, task: &str, tag: &str) -> String {
        match self.verify(task, tag) {
            Verdict::Damaged { path, why } => format!("{} {why}", self.shown(&path)),
            other => panic!("{other:?}"),
        }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    /// Everything below the install directory.
    fn installed(&self) -> Vec<String> {
        let listing = crate::host::listing::Listing::of(&self.options.install_dir).unwrap();
        listing.entries.iter().map(|entry| entry.path.to_str().unwrap().to_owned()).collect()
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.options.install_dir).unwrap().display().to_string()
    }

    /// The error's text, with paths from the install directory.
    fn refusal(&self, result: Result<Counts>) -> String {
        result.unwrap_err().to_string().replace(&format!("{}/", self.options.install_dir.display()), "")
    }
}

fn counts(written: usize, kept: usize, lost: usize, removed: usize) -> Counts {
    Counts { written, kept, lost, removed }
}

#[test]
fn a_tree_is_installed_as_it_is_and_a_repeat_run_has_nothing_to_do() {
    for (link_mode, whole) in [(LinkMode::Auto, false), (LinkMode::Copy, false), (LinkMode::Auto, true)] {
        let mut machine = machine();
        machine.options.link_mode = link_mode;
        machine.whole = whole;
        let staged =
            [("bin/tool", Exec("tool")), ("lib/a.so", Link("a.so.1")), ("lib/a.so.1", File("")), ("share/empty", Dir)];
        assert_eq!(machine.verify("shop", "v1"), Verdict::Absent);
        assert_eq!(machine.install("shop", "v1", &staged).unwrap(), counts(3, 0, 0, 0));
        assert_eq!(machine.installed(), ["bin", "bin/tool", "lib", "lib/a.so", "lib/a.so.1", "share", "share/empty"]);
        assert_eq!(fs::metadata(machine.at("bin/tool")).unwrap().mode() & 0o7777, 0o4755);
        assert_eq!(fs::metadata(machine.at("bin/tool")).unwrap().mtime(), 0);
        assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
        assert_eq!(machine.verify("shop", "v2"), Verdict::OtherTag("v1".into()));
        assert_eq!(machine.install("shop", "v1", &staged).unwrap(), counts(0, 3, 0, 0));
    }
}

#[test]
fn hard_links_of_a_tree_stay_hard_links_even_when_copied() {
    let mut machine = machine();
    machine.options.link_mode = LinkMode::Copy;
    let draft = machine.trees.begin("v1").unwrap();
    let root = draft.path().join(machine.options.install_dir.strip_prefix("/").unwrap());
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("one"), "text").unwrap();
    fs::hard_link(root.join("one"), root.join("two")).unwrap();
    let tree = draft.seal(0, None).unwrap();
    machine.installer().install("shop", "v1", &tree, &[]).unwrap();
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&machine.at("one")), inode(&machine.at("two")));
    let kept = tree.place(machine.at("one").strip_prefix("/").unwrap()).unwrap();
    assert_ne!(inode(&machine.at("one")), inode(&kept));
    assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
}

#[test]
fn what_someone_changed_is_seen_and_healed() {
    let machine = machine();
    let staged = [("bin/tool", File("tool")), ("etc/conf", File("conf")), ("lib", Link("lib64")), ("lib64", Dir)];
    machine.install("shop", "v1", &staged).unwrap();
    let heal = || {
        assert!(machine.install("shop", "v1", &staged).unwrap().written <= 1);
        assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
    };
    fs::remove_file(machine.at("bin/tool")).unwrap();
    assert_eq!(machine.damage("shop", "v1"), "bin/tool is gone");
    heal();
    fs::remove_file(machine.at("etc/conf")).unwrap();
    machine.write("etc/conf", "mine");
    assert_eq!(machine.damage("shop", "v1"), "etc/conf was changed");
    heal();
    assert_eq!(machine.read("etc/conf"), "conf");
    fs::remove_dir(machine.at("lib64")).unwrap();
    assert_eq!(machine.damage("shop", "v1"), "lib64 is gone");
    heal();
    fs::remove_file(machine.at("lib")).unwrap();
    symlink("elsewhere", machine.at("lib")).unwrap();
    assert_eq!(machine.damage("shop", "v1"), "lib was changed");
    heal();
}

#[test]
fn an_edit_through_a_hard_link_spoils_the_tree_and_is_healed_from_a_new_one() {
    let mut machine = machine();
    machine.options.link_mode = LinkMode::Hardlink;
    let staged = [("bin/tool", File("tool"))];
    machine.install("shop", "v1", &staged).unwrap();
    machine.write("bin/tool", "edited");
    assert_eq!(machine.damage("shop", "v1"), "bin/tool was changed");
    assert!(matches!(machine.trees.get("v1").unwrap(), TreeState::Damaged(_)));
    assert_eq!(machine.install("shop", "v1", &staged).unwrap(), counts(1, 0, 0, 0));
    assert_eq!(machine.read("bin/tool"), "tool");
}

#[test]
fn an_upgrade_takes_away_what_the_new_tag_lacks() {
    let machine = machine();
    machine.write("mine/file", "");
    let v1 = [("a/old/deep", File("")), ("mine/gone", File("")), ("both", File("1")), ("same", File("s"))];
    machine.install("shop", "v1", &v1).unwrap();
    let inode = fs::metadata(machine.at("same")).unwrap().ino();
    let done = machine.install("shop", "v2", &[("b", File("")), ("both", File("2")), ("same", File("s"))]).unwrap();
    assert_eq!(done, counts(2, 1, 0, 2));
    assert_eq!(machine.installed(), ["b", "both", "mine", "mine/file", "same"]);
    assert_eq!(machine.read("both"), "2");
    assert_eq!(fs::metadata(machine.at("same")).unwrap().ino(), inode, "what is right is not rewritten");
}

#[test]
fn an_upgrade_may_change_the_kind_of_a_path() {
    let machine = machine();
    let v1 = [("lib64/x.so", File("")), ("doc", File("")), ("link", Link("doc"))];
    machine.install("shop", "v1", &v1).unwrap();
    let v2 = [("lib64", Link("lib")), ("lib/x.so", File("")), ("doc/index", File("")), ("link/file", File(""))];
    machine.install("shop", "v2", &v2).unwrap();
    assert_eq!(machine.installed(), ["doc", "doc/index", "lib", "lib/x.so", "lib64", "link", "link/file"]);
    assert_eq!(machine.verify("shop", "v2"), Verdict::Intact);
    machine.install("shop", "v1", &v1).unwrap();
    assert_eq!(machine.installed(), ["doc", "lib64", "lib64/x.so", "link"]);
    assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
}

#[test]
fn a_directory_with_files_of_others_does_not_give_way_to_a_symlink() {
    let machine = machine();
    machine.install("shop", "v1", &[("lib64/x.so", File(""))]).unwrap();
    machine.write("lib64/mine", "");
    let v2 = [("lib64", Link("lib"))];
    let error = machine.refusal(machine.install("shop", "v2", &v2));
    assert_eq!(error, "`lib64/mine`, which `shop` installs, exists already and belongs to no task");
    fs::remove_file(machine.at("lib64/mine")).unwrap();
    machine.install("app", "a1", &[("lib64/y.so", File(""))]).unwrap();
    let error = machine.refusal(machine.install("shop", "v2", &v2));
    assert_eq!(error, "`app` and `shop` both install `lib64`, with different content");
    assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
}

#[test]
fn a_task_that_left_takes_its_files_and_empty_directories_with_it() {
    let machine = machine();
    machine.install("a", "a1", &[("share/doc/a", File("")), ("share/both", File(""))]).unwrap();
    machine.install("b", "b1", &[("share/doc/b", File("")), ("share/both", File(""))]).unwrap();
    assert_eq!(machine.installer().remove("a").unwrap(), 1);
    assert_eq!(machine.installed(), ["share", "share/both", "share/doc", "share/doc/b"]);
    assert_eq!(machine.verify("a", "a1"), Verdict::Absent);
    assert_eq!(machine.verify("b", "b1"), Verdict::Intact);
    assert_eq!(machine.installer().remove("b").unwrap(), 2);
    assert!(machine.installed().is_empty());
    assert_eq!(machine.installer().remove("b").unwrap(), 0);
}

#[test]
fn a_product_that_was_deleted_by_hand_is_forgotten_without_fuss() {
    let machine = machine();
    machine.install("a", "a1", &[("file", File(""))]).unwrap();
    fs::remove_dir_all(&machine.options.install_dir).unwrap();
    assert_eq!(machine.damage("a", "a1"), "file is gone");
    assert_eq!(machine.installer().remove("a").unwrap(), 0);
    assert!(!machine.options.install_dir.exists());
}

#[test]
fn two_tasks_with_different_content_at_a_path_are_both_named() {
    let machine = machine();
    machine.install("a", "a1", &[("etc/conf", File("a"))]).unwrap();
    for other in [File("b"), Exec("a"), Link("a")] {
        let error = machine.refusal(machine.install("b", "b1", &[("bin/b", File("")), ("etc/conf", other)]));
        assert_eq!(error, "`a` and `b` both install `etc/conf`, with different content");
    }
    let error = machine.refusal(machine.install("b", "b1", &[("etc/conf/dir", File(""))]));
    assert_eq!(error, "`a` and `b` both install `etc/conf`, with different content");
    assert_eq!(machine.installed(), ["etc", "etc/conf"]);
    assert_eq!(machine.verify("b", "b1"), Verdict::Absent);
    assert_eq!(machine.verify("a", "a1"), Verdict::Intact);
}

#[test]
fn a_task_may_override_another_in_whichever_order_they_come() {
    for winner_first in [false, true] {
        let machine = machine();
        let base = || machine.install("base", "b1", &[("etc/conf", File("base")), ("etc/more", File(""))]);
        let brand = || machine.install_over("brand", "r1", &[("etc/conf", File("brand"))], &["base"]);
        if winner_first {
            brand().unwrap();
            assert_eq!(base().unwrap(), counts(1, 0, 1, 0));
        } else {
            base().unwrap();
            brand().unwrap();
        }
        assert_eq!(machine.read("etc/conf"), "brand");
        assert_eq!(machine.verify("base", "b1"), Verdict::Intact);
        assert_eq!(machine.verify("brand", "r1"), Verdict::Intact);

        assert_eq!(machine.installer().remove("brand").unwrap(), 1);
        assert!(matches!(machine.verify("base", "b1"), Verdict::Damaged { .. }), "it is owed its file back");
        base().unwrap();
        assert_eq!(machine.read("etc/conf"), "base");
    }
}

#[test]
fn a_file_that_moves_from_one_task_to_another_is_no_conflict() {
    let mut machine = machine();
    machine.install("a", "a1", &[("bin/tool", File("1")), ("bin/a", File(""))]).unwrap();
    machine.planned = vec![("a", "a2"), ("b", "b1")];
    machine.install("b", "b1", &[("bin/tool", File("2"))]).unwrap();
    machine.install("a", "a2", &[("bin/a", File(""))]).unwrap();
    assert_eq!(machine.read("bin/tool"), "2");
    assert_eq!(machine.verify("a", "a2"), Verdict::Intact);
    assert_eq!(machine.verify("b", "b1"), Verdict::Intact);
    let error = machine.refusal(machine.install("a", "a2", &[("bin/tool", File("3"))]));
    assert_eq!(error, "`b` and `a` both install `bin/tool`, with different content");
}

#[test]
fn a_shared_file_that_was_changed_is_healed_by_either_of_its_tasks() {
    let machine = machine();
    machine.install("a", "a1", &[("LICENSE", File("text"))]).unwrap();
    assert_eq!(machine.install("b", "b1", &[("LICENSE", File("text"))]).unwrap(), counts(0, 1, 0, 0));
    fs::remove_file(machine.at("LICENSE")).unwrap();
    machine.write("LICENSE", "edited");
    assert_eq!(machine.install("b", "b1", &[("LICENSE", File("text"))]).unwrap(), counts(1, 0, 0, 0));
    assert_eq!(machine.install("a", "a1", &[("LICENSE", File("text"))]).unwrap(), counts(0, 1, 0, 0));
    assert_eq!((machine.verify("a", "a1"), machine.verify("b", "b1")), (Verdict::Intact, Verdict::Intact));
}

#[test]
fn files_of_nobody_are_adopted_if_equal_and_otherwise_left_alone() {
    let mut machine = machine();
    machine.write("same", "text");
    fs::File::open(machine.at("same")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    machine.write("other", "mine");
    let staged = [("new", File("")), ("same", File("text")), ("other", File("theirs"))];
    let error = machine.refusal(machine.install("shop", "v1", &staged));
    assert_eq!(error, "`other`, which `shop` installs, exists already and belongs to no task");
    assert_eq!(machine.installed(), ["other", "same"]);
    machine.options.replace_unowned = true;
    assert_eq!(machine.install("shop", "v1", &staged).unwrap(), counts(2, 1, 0, 0));
    assert_eq!(machine.read("other"), "theirs");
    assert_eq!(machine.installer().remove("shop").unwrap(), 3);
}

#[test]
fn a_directory_is_never_replaced_even_if_unowned_files_may_be() {
    let mut machine = machine();
    machine.options.replace_unowned = true;
    machine.write("data/precious", "");
    let error = machine.refusal(machine.install("shop", "v1", &[("data", File(""))]));
    assert_eq!(error, "`data`, which `shop` installs, exists already and belongs to no task");
    assert_eq!(machine.installed(), ["data", "data/precious"]);
}

#[test]
fn what_lies_outside_is_refused_before_anything_is_written() {
    let machine = machine();
    let outside = machine.room.path().join("etc");
    for staged in [("init.d/shop", File("")), ("empty", Dir)] {
        let tree = machine.tree_below(&outside, "v1", &[staged]);
        let error = machine.installer().install("shop", "v1", &tree, &[]).unwrap_err();
        let Error::Outside { task, path, .. } = error else { panic!("{error}") };
        assert_eq!((task.as_str(), path), ("shop", outside.join(staged.0)));
    }
    assert!(!outside.exists() && !machine.options.install_dir.exists());
}

#[test]
fn an_extra_file_is_installed_upgraded_and_removed_outside() {
    let mut machine = machine();
    let outside = machine.room.path().join("etc");
    let glob = Glob::new(&format!("{}/init.d/*", outside.display())).unwrap();
    machine.options.extra_files = GlobSetBuilder::new().add(glob).build().unwrap();
    fs::create_dir_all(machine.room.path().join("usr/etc")).unwrap();
    symlink("usr/etc", &outside).unwrap();
    for tag in ["v1", "v2"] {
        let tree = machine.tree_below(&outside, tag, &[("init.d/shop", File(tag))]);
        machine.installer().install("shop", tag, &tree, &[]).unwrap();
        assert_eq!(fs::read_to_string(outside.join("init.d/shop")).unwrap(), tag);
        assert_eq!(machine.verify("shop", tag), Verdict::Intact);
    }
    assert_eq!(machine.installer().remove("shop").unwrap(), 1);
    assert!(outside.is_symlink() && !outside.join("init.d").exists());
}

#[test]
fn nothing_is_written_or_removed_through_a_symlink() {
    let mut machine = machine();
    let elsewhere = machine.room.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir_all(&machine.options.install_dir).unwrap();
    symlink(&elsewhere, machine.at("bin")).unwrap();
    let staged = [("bin/tool", File("tool"))];
    let error = machine.refusal(machine.install("shop", "v1", &staged));
    assert_eq!(error, "`bin`, which `shop` installs, exists already and belongs to no task");
    machine.options.replace_unowned = true;
    machine.install("shop", "v1", &staged).unwrap();
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

    fs::write(elsewhere.join("tool"), "precious").unwrap();
    fs::remove_dir_all(machine.at("bin")).unwrap();
    symlink(&elsewhere, machine.at("bin")).unwrap();
    assert_eq!(machine.damage("shop", "v1"), "bin is no directory any more");
    assert_eq!(machine.installer().remove("shop").unwrap(), 0);
    assert_eq!(fs::read_to_string(elsewhere.join("tool")).unwrap(), "precious");
}

#[test]
fn the_install_directory_itself_may_be_a_symlink() {
    let machine = machine();
    let real = machine.room.path().join("data/shop");
    fs::create_dir_all(&real).unwrap();
    fs::create_dir_all(machine.options.install_dir.parent().unwrap()).unwrap();
    symlink(&real, &machine.options.install_dir).unwrap();
    machine.install("shop", "v1", &[("bin/tool", File(""))]).unwrap();
    assert!(real.join("bin/tool").is_file());
    assert_eq!(machine.verify("shop", "v1"), Verdict::Intact);
    machine.install("shop", "v2", &[]).unwrap();
    assert!(machine.options.install_dir.is_symlink() && machine.installed().is_empty());
}

#[test]
fn a_symlink_to_a_directory_is_met_by_its_like_a_second_time() {
    let machine = machine();
    let staged = [("lib64", Link("lib")), ("lib/x.so", File(""))];
    machine.install("a", "a1", &staged).unwrap();
    assert_eq!(machine.install("a", "a1", &staged).unwrap(), counts(0, 2, 0, 0));
    assert_eq!(machine.install("b", "b1", &[("lib64", Link("lib"))]).unwrap(), counts(0, 1, 0, 0));
    let error = machine.refusal(machine.install("c", "c1", &[("lib64/y.so", File(""))]));
    assert_eq!(
        error,
        "`a` and `c` both install `lib64`, with different content".replace('a', error.get(1..2).unwrap())
    );
}

#[test]
fn read_only_directories_are_filled_upgraded_and_removed() {
    let machine = machine();
    let mode = || fs::metadata(machine.at("locked")).unwrap().mode() & 0o7777;
    machine.install("shop", "v1", &[("locked/one", File("")), ("locked", Locked)]).unwrap();
    assert_eq!(mode(), 0o555);
    machine.install("shop", "v2", &[("locked/two", File("")), ("locked", Locked)]).unwrap();
    assert_eq!((mode(), machine.installed()), (0o555, vec!["locked".into(), "locked/two".into()]));
    machine.install("shop", "v3", &[("locked/two", File(""))]).unwrap();
    assert_ne!(mode(), 0o555, "the mode of a directory of one task follows it");
    machine.install("shop", "v2", &[("locked/two", File("")), ("locked", Locked)]).unwrap();
    machine.installer().remove("shop").unwrap();
    assert!(machine.installed().is_empty());
}

#[test]
fn an_interrupted_install_is_seen_and_finished_by_the_next_run() {
    let mut machine = machine();
    let (v1, v2) = ([("old", File("1")), ("both", File("1"))], [("both", File("2")), ("new/file", File("2"))]);
    machine.install("shop", "v1", &v1).unwrap();
    let journal = machine.room.path().join("work/state");
    let before = fs::read(&journal).unwrap().len();
    machine.install("shop", "v2", &v2).unwrap();

    // The journal as it was between the intent and the end: its next record alone.
    let bytes = fs::read(&journal).unwrap();
    let frame = 8 + u32::from_le_bytes(bytes[before..before + 4].try_into().unwrap()) as usize;
    fs::write(&journal, &bytes[..before + frame]).unwrap();
    machine.state = Mutex::new(State::open(&journal, &machine.options.install_dir).unwrap());
    machine.write("old", "1");
    fs::remove_file(machine.at("new/file")).unwrap();

    assert_eq!(machine.damage("shop", "v2"), " holds an unfinished installation");
    assert_eq!(machine.install("shop", "v2", &v2).unwrap(), counts(1, 1, 0, 1));
    assert_eq!(machine.installed(), ["both", "new", "new/file"]);
    assert_eq!(machine.verify("shop", "v2"), Verdict::Intact);
    machine.installer().remove("shop").unwrap();
    assert!(machine.installed().is_empty());
}

#[test]
fn an_interrupted_removal_is_finished_by_the_next_run() {
    let machine = machine();
    machine.install("shop", "v1", &[("a/one", File("")), ("a/two", File(""))]).unwrap();
    let mut record = machine.state.lock().unwrap().installed("shop").unwrap();
    record.complete = false;
    machine.state.lock().unwrap().set_installed("shop", &record).unwrap();
    fs::remove_file(machine.at("a/one")).unwrap();
    assert_eq!(machine.installer().remove("shop").unwrap(), 1);
    assert!(machine.installed().is_empty());
}

#[test]
fn losing_the_state_costs_no_more_than_looking_again() {
    let mut machine = machine();
    let staged = [("bin/tool", File("tool")), ("lib", Link("lib64"))];
    machine.install("shop", "v1", &staged).unwrap();
    let journal = machine.room.path().join("work/state");
    fs::remove_file(&journal).unwrap();
    machine.state = Mutex::new(State::open(&journal, &machine.options.install_dir).unwrap());
    assert_eq!(machine.verify("shop", "v1"), Verdict::Absent);
    assert_eq!(machine.install("shop", "v1", &staged).unwrap(), counts(0, 2, 0, 0));
}

#[test]
fn tasks_install_from_many_threads_at_once() {
    let machine = machine();
    let tasks: Vec<String> = (0..8).map(|task| format!("task{task}")).collect();
    let trees: Vec<Tree> = tasks
        .iter()
        .map(|task| {
            let own = format!("share/deep/{task}");
            machine.tree(task, &[(&own, File(task)), ("share/deep/LICENSE", File("text"))])
        })
        .collect();
    let installer = machine.installer();
    std::thread::scope(|scope| {
        for (task, tree) in tasks.iter().zip(&trees) {
            let installer = &installer;
            scope.spawn(move || installer.install(task, task, tree, &[]).unwrap());
        }
    });
    assert!(tasks.iter().all(|task| installer.verify(task, task, &[]) == Verdict::Intact));
    assert_eq!(machine.installed().len(), 2 + 8 + 1);
    for task in &tasks {
        installer.remove(task).unwrap();
    }
    assert!(machine.installed().is_empty());
}

#[test]
fn many_files_are_put_by_many_hands_and_are_where_they_belong() {
    for link_mode in [LinkMode::Hardlink, LinkMode::Copy] {
        let mut machine = machine();
        machine.options.link_mode = link_mode;
        let paths: Vec<String> = (0..600).map(|number| format!("share/{}/{number}", number % 7)).collect();
        let mut staged: Vec<(&str, Staged<'_>)> = paths.iter().map(|path| (path.as_str(), File(path))).collect();
        staged.extend([("share/3", Locked), ("share/3/link", Link("10"))]);
        let counts = machine.install("app", "1", &staged).unwrap();
        assert_eq!((counts.written, counts.kept), (601, 0));
        for path in &paths {
            assert_eq!(fs::read_to_string(machine.at(path)).unwrap(), *path);
        }
        assert_eq!(fs::metadata(machine.at("share/3")).unwrap().permissions().mode() & 0o777, 0o555);
        assert_eq!(machine.installer().verify("app", "1", &[]), Verdict::Intact);
        let owned = machine.state.lock().unwrap().installed("app").unwrap().owned;
        assert!(owned.is_sorted_by_key(|owned| owned.path.as_os_str().to_owned()));
    }
}

/// What is at every path below the install directory: kind, mode, content.
fn snapshot(machine: &Machine) -> Vec<String> {
    let Ok(listing) = crate::host::listing::Listing::of(&machine.options.install_dir) else { return Vec::new() };
    let describe = |entry: crate::host::listing::Entry| {
        let content = fs::read_to_string(machine.options.install_dir.join(&entry.path)).unwrap_or_default();
        format!("{:?} {:?} {:o} {content}", entry.path, entry.kind, entry.mode)
    };
    listing.entries.into_iter().map(describe).collect()
}

/// A tree that can be: nothing below what is not a directory.
fn consistent(choices: &[u8]) -> Vec<(&'static str, Staged<'static>)> {
    const PATHS: [&str; 7] = ["a", "a/b", "a/b/c", "a/d", "e", "e/f", "g"];
    let mut staged: Vec<(&str, Staged<'_>)> = Vec::new();
    for (path, choice) in PATHS.into_iter().zip(choices) {
        let kind = match choice {
            0 => File("one"),
            1 => File("two"),
            2 => Exec("one"),
            3 => Link("a/b"),
            4 | 5 => Dir,
            _ => continue,
        };
        let blocks = |(above, kind): &(&str, Staged<'_>)| !matches!(kind, Dir) && Path::new(path).starts_with(above);
        if !staged.iter().any(blocks) {
            staged.push((path, kind));
        }
    }
    staged
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(32) })]

    #[test]
    fn whatever_happens_in_whatever_order_the_product_is_what_the_records_say(
        moves in proptest::collection::vec((0..3usize, 0..5u8, proptest::collection::vec(0..9u8, 7)), 1..10),
        copy: bool,
    ) {
        const TASKS: [&str; 3] = ["one", "two", "three"];
        let mut machine = machine();
        machine.options.link_mode = if copy { LinkMode::Copy } else { LinkMode::Auto };
        let mut tags: HashMap<&str, String> = HashMap::new();
        for (turn, (task, kind, choices)) in moves.into_iter().enumerate() {
            let (task, tag, before) = (TASKS[task], format!("tag{turn}"), snapshot(&machine));
            if kind == 0 {
                machine.installer().remove(task).unwrap();
                tags.remove(task);
                continue;
            }
            let overrides: &[&str] = if kind == 1 && task == "one" { &["two"] } else { &[] };
            match machine.install_over(task, &tag, &consistent(&choices), overrides) {
                Ok(_) => {
                    proptest::prop_assert_eq!(machine.verify(task, &tag), Verdict::Intact);
                    tags.insert(task, tag);
                }
                Err(Error::Conflict { .. } | Error::Unowned { .. }) => {
                    proptest::prop_assert_eq!(snapshot(&machine), before, "a refused install changes nothing");
                }
                Err(error) => panic!("{error}"),
            }
        }
        for (task, tag) in &tags {
            let verdict = machine.verify(task, tag);
            let owed = matches!(&verdict, Verdict::Damaged { why, .. } if why.contains("unfinished"));
            proptest::prop_assert!(verdict == Verdict::Intact || owed, "{} {:?}", task, verdict);
        }
        for task in TASKS {
            machine.installer().remove(task).unwrap();
        }
        proptest::prop_assert!(snapshot(&machine).is_empty(), "{:?}", snapshot(&machine));
    }
}

#[test]
fn other_overrides_than_recorded_ask_for_an_installation() {
    let machine = machine();
    machine.install("a", "a-1", &[("x", File("1"))]).unwrap();
    let overrides = ["b".to_owned()];
    assert!(matches!(machine.installer().verify("a", "a-1", &overrides), Verdict::Damaged { .. }));
    assert_eq!(machine.installer().verify("a", "a-1", &[]), Verdict::Intact);
}
