//! The coffeeshop, the first recipe that a newcomer runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use cortado::lua::{Recipe, RecipeOptions};
use cortado::{DirectoryStore, Engine, Outcome, Report};

/// A copy of the shop, so that the checkout stays as it is.
fn shop(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua/coffeeshop");
    let copied = Command::new("cp").arg("-R").args([&source, dir]).status().unwrap();
    assert!(copied.success());
    dir.join("coffeeshop")
}

fn build(shop: &Path, install_dir: &Path) -> Report {
    let recipe = Recipe::load(&shop.join("cortado.lua"), &RecipeOptions::default()).unwrap();
    let work_dir = shop.join(".cortado");
    let project = recipe.project().install_dir(install_dir).work_dir(work_dir).build().unwrap();
    let store = DirectoryStore::open(shop.with_file_name("cache")).unwrap();
    Engine::new(&project).store(store).offline(true).run().unwrap().check().unwrap()
}

fn built(report: &Report) -> Vec<&str> {
    let built = report.tasks.iter().filter(|task| matches!(task.outcome, Outcome::Built));
    built.map(|task| task.name.as_str()).collect()
}

#[test]
fn the_shop_opens() {
    let dir = tempfile::tempdir().unwrap();
    let (shop, out) = (shop(dir.path()), dir.path().join("out"));
    drop(build(&shop, &out));
    let output = Command::new(out.join("bin/coffee")).args(["200", "10"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("200 g of beans 1.2.0, roasted for 10 minutes: 180.0 g\n"), "{said}");
    assert!(said.starts_with("Menu\n  espresso    2.40\n  cortado     3.10\n"), "{said}");
    assert_eq!(
        std::fs::read_to_string(out.join("share/prices.csv")).unwrap(),
        "espresso;2.40\ncortado;3.10\nlungo;2.60\n"
    );
    assert!(out.join("LICENSES/beans/COPYING").exists() && out.join("LICENSE").exists());
}

#[test]
fn only_what_a_change_touches_is_built_again() {
    let dir = tempfile::tempdir().unwrap();
    let (shop, out) = (shop(dir.path()), dir.path().join("out"));
    drop(build(&shop, &out));
    assert_eq!(built(&build(&shop, &out)), [""; 0], "nothing changed");
    let beans = shop.join("beans/beans.c");
    let text = std::fs::read_to_string(&beans).unwrap();
    std::fs::write(&beans, text.replace("A bean loses", "Each bean loses")).unwrap();
    assert_eq!(built(&build(&shop, &out)), ["beans", "roaster", "shop"]);
}
