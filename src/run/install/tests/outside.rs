//! Stories of what lies outside, or seems to lie inside: nothing is touched there but what may be.

use std::fs;
use std::os::unix::fs::symlink;

use globset::{Glob, GlobSetBuilder};

use super::super::*;
use super::machine::Staged::*;
use super::machine::machine;
use crate::error::Error;

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
