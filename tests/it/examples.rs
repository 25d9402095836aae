//! The examples do what they say.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs an example, which cargo has built beside the tests, and returns what it printed.
fn run(name: &str, args: &[&str]) -> String {
    let test = std::env::current_exe().unwrap();
    let built: PathBuf = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    let output = Command::new(&built).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{built:?}: {error}; a whole `cargo test` builds it"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn two_closures_are_a_cache() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    assert!(run("filesystem_cache", &[place]).ends_with("2 built, 0 restored\n"));
    for made in ["install", "work"] {
        std::fs::remove_dir_all(dir.path().join(made)).unwrap();
    }
    let second = run("filesystem_cache", &[place]);
    assert!(second.ends_with("0 built, 2 restored\n") && !second.contains("[1/"), "{second}");
}

#[test]
fn a_store_of_ones_own_serves_a_second_machine() {
    let said = run("custom_store", &[]);
    assert!(said.starts_with("first machine: built\nsecond machine: restored\nshared-beans-"), "{said}");
}

#[test]
fn observers_see_everything() {
    let said = run("events", &[]);
    assert!(said.ends_with("poem said 3 lines\nrefrain said 1 lines\n2 tasks\n"), "{said}");
}

#[test]
fn a_company_has_its_own_build_tool() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    assert!(run("xtask", &["plan", place]).contains("till: RestoreOrBuild, because it is not installed"));
    assert_eq!(run("xtask", &["build", place, "till"]), "settings: built\ntill: built\n");
    assert_eq!(run("xtask", &["build", place, "till"]), "settings: up to date\ntill: up to date\n");
}

#[cfg(feature = "lua")]
#[test]
fn a_recipe_in_lua_runs_with_a_cache_in_rust() {
    assert_eq!(run("lua_recipe", &[]), "Hello from the corner shop\n1 stored\n");
}
