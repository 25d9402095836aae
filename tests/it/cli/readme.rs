//! README's first command does what README says.

use std::path::Path;
use std::process::{Command, Output};

/// The arguments that README's first command hands to the binary.
fn arguments() -> Vec<&'static str> {
    let readme = include_str!("../../../README.md");
    let line = readme.lines().find_map(|line| line.strip_prefix("cargo run --release -- "));
    line.unwrap().split_whitespace().collect()
}

/// Runs the command in a place that has the recipe where the checkout has it.
fn run(place: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortado"));
    command.args(arguments()).current_dir(place).env("XDG_CACHE_HOME", place.join("cache"));
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_first_command_builds_then_has_nothing_to_do_then_puts_back_then_restores() {
    let place = tempfile::tempdir().unwrap();
    let recipes = place.path().join("lua");
    std::fs::create_dir(&recipes).unwrap();
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua/coffeeshop");
    assert!(Command::new("cp").arg("-R").arg(shop).arg(&recipes).status().unwrap().success());
    let out = place.path().join("out/coffeeshop");

    assert!(said(&run(place.path())).contains("built  4"));
    assert!(said(&run(place.path())).contains("nothing to do"));
    std::fs::remove_dir_all(&out).unwrap();
    assert!(said(&run(place.path())).contains("installed  3"));
    std::fs::remove_dir_all(&out).unwrap();
    std::fs::remove_dir_all(recipes.join("coffeeshop/.cortado")).unwrap();
    assert!(said(&run(place.path())).contains("restored  3"));
    assert!(Command::new(out.join("bin/open")).output().unwrap().status.success());
}
