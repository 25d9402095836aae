//! Stories of products that are installed, changed by hand, healed, upgraded and taken away.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::super::*;
use super::machine::Staged::*;
use super::machine::{counts, machine};
use crate::cache::trees::TreeState;

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
