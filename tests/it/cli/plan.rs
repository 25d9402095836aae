//! Looking ahead: `plan` and `list`, for people.

use super::{SHOP, Shop, names};

/// A line without its shasum, the second word.
fn without_shasums(text: &str) -> String {
    let line = |line: &str| match line.split_once("  ") {
        Some((name, rest)) if rest.trim_start().len() > 12 => {
            format!("{name} {}\n", rest.trim_start().split_at(12).1.trim_start())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn a_plan_says_what_a_build_would_do_and_does_nothing() {
    let shop = Shop::new(SHOP);
    let plan = shop.run(&["plan"]).ends(0);
    let expected = "\
zlib restore or build  it is not installed
app restore or build  it is not installed
shop: 2 of 2 tasks to do
";
    assert_eq!(without_shasums(&plan.out), expected);
    assert_eq!(names(&shop.root()), ["cortado.lua"]);
    let plan = shop.run(&["plan", "--no-cache", "zlib"]).ends(0);
    assert_eq!(without_shasums(&plan.out), "zlib build  it is not installed\nshop: 1 of 1 task to do\n");
}

#[test]
fn after_a_build_there_is_nothing_to_do() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    let plan = shop.run(&["plan"]).ends(0);
    assert_eq!(without_shasums(&plan.out), "zlib up to date\napp up to date\nshop: nothing to do\n");
}

#[test]
fn a_plan_tells_install_from_restore() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    std::fs::remove_file(shop.path("out/app")).unwrap();
    let plan = shop.run(&["plan"]).ends(0);
    let expected = "zlib up to date\napp install     `[shop]/out/app` is gone\nshop: 1 of 2 tasks to do\n";
    assert_eq!(without_shasums(&plan.out), expected);
}

#[test]
fn a_list_has_versions_and_dependencies() {
    let shop = Shop::new(SHOP);
    shop.run(&["list"]).ends(0).reports("zlib  1.3\napp   2    after zlib\n").says("");
    assert_eq!(names(&shop.root()), ["cortado.lua"]);
}

#[test]
fn licenses_are_shown_for_the_product_and_each_task() {
    let shop = Shop::new(SHOP);
    shop.run(&["licenses"]).ends(0).reports("shop  1.0  MIT\nzlib  1.3  Zlib\napp   2    Unspecified\n");
}
