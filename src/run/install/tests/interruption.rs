//! Stories of runs that were cut off, and of a state that was lost: the next run goes on.

use std::fs;

use super::super::*;
use super::machine::Staged::*;
use super::machine::{counts, machine};

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
