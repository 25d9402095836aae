//! Cleaning: what builds have made goes, and nothing else.

use std::fs;

use super::{SHOP, Shop, names};

#[test]
fn a_clean_takes_away_what_was_installed_and_leaves_the_rest() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.write("out/mine", "");
    shop.run(&["clean"])
        .ends(0)
        .reports("shop: removed 3 installed files; src, stage, tmp, pack of the work directory\n");
    assert_eq!(names(&shop.path("out")), ["mine"]);
    shop.run(&["build"]).ends(0).mentions("  installed  2  zlib, app\n");
    assert_eq!(shop.read("out/app"), "zlib\n");
}

#[test]
fn a_dry_run_only_shows() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    let expected = "\
[shop]/out/app
[shop]/out/zlib
[shop]/out/LICENSE
[shop]/.cortado/src
[shop]/.cortado/stage
[shop]/.cortado/tmp
[shop]/.cortado/pack
[shop]/.cortado/trees
shop: would remove 3 installed files; src, stage, tmp, pack, trees of the work directory
";
    shop.run(&["clean", "--dry-run", "--trees"]).ends(0).reports(expected);
    shop.run(&["build"]).ends(0).says("shop: nothing to do, all 2 tasks are up to date (T)\n");
}

#[test]
fn with_all_only_an_empty_work_directory_stays() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.run(&["clean", "--all"]).ends(0);
    assert_eq!(names(&shop.path(".cortado")), ["format", "lock"]);
    assert_eq!(names(&shop.path("out")), [""; 0]);
    shop.run(&["clean", "--all"]).ends(0).reports("shop: nothing to remove\n");
    shop.run(&["build"]).ends(0).mentions("  restored  2  zlib, app\n");
}

#[test]
fn a_license_summary_that_someone_has_changed_is_theirs() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.write("out/LICENSE", "mine");
    shop.run(&["clean"]).ends(0);
    assert_eq!(names(&shop.path("out")), ["LICENSE"]);
}

#[test]
fn a_directory_of_someone_else_is_refused_untouched() {
    let shop = Shop::new(SHOP);
    shop.write("home/stage/thesis.tex", "");
    let expected = "\
error: `[shop]/home` is not a cortado work directory
hint: choose another directory, or an empty one
";
    for args in [["clean", "--work-dir", "home"].as_slice(), &["clean", "--all", "--work-dir", "home"]] {
        shop.run(args).ends(2).says(expected);
    }
    assert!(shop.path("home/stage/thesis.tex").exists());
}

#[test]
fn where_nothing_was_built_there_is_nothing_to_remove() {
    let shop = Shop::new(SHOP);
    shop.run(&["clean", "--all"]).ends(0).reports("shop: nothing to remove\n");
    assert_eq!(names(&shop.root()), ["cortado.lua"]);
    fs::create_dir(shop.path(".cortado")).unwrap();
    shop.run(&["clean"]).ends(0).reports("shop: nothing to remove\n");
}
