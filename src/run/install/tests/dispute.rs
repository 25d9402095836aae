//! Stories of paths that several want: two tasks, or a task and somebody unknown.

use std::fs;

use super::super::*;
use super::machine::Staged::*;
use super::machine::{counts, machine};

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
fn other_overrides_than_recorded_ask_for_an_installation() {
    let machine = machine();
    machine.install("a", "a-1", &[("x", File("1"))]).unwrap();
    let overrides = ["b".to_owned()];
    assert!(matches!(machine.installer().verify("a", "a-1", &overrides), Verdict::Damaged { .. }));
    assert_eq!(machine.installer().verify("a", "a-1", &[]), Verdict::Intact);
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
