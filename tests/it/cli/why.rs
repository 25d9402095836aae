//! Why a task would be built.

use super::{SHOP, Shop};
use crate::support::warehouse::{Skills, Warehouse};

#[test]
fn a_task_that_was_never_built_says_so() {
    let shop = Shop::new(SHOP);
    let expected = "\
app: will be restored or built, because it is not installed
it was neither built nor restored in this work directory before
";
    shop.run(&["why", "app"]).ends(0).reports(expected);
}

#[test]
fn a_changed_task_shows_what_changed_and_its_downstream_points_to_it() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.replace("version = \"1.3\"", "version = \"1.4\"");
    let why = shop.run(&["why", "zlib"]).ends(0);
    let text = super::timeless(&why.out);
    assert!(text.starts_with("zlib: will be restored or built, because something that counts into it has changed\n"));
    assert!(text.contains("\nlast built or restored T ago, as "), "{text}");
    assert!(text.contains("\n  changed task/version\n    - 1.3\n    + 1.4\n"), "{text}");
    assert!(text.ends_with(" fields are as they were\n"), "{text}");
    let why = shop.run(&["why", "app"]).ends(0);
    assert!(why.out.contains("\nupstream `zlib` changed: see `cortado why zlib`\n"), "{}", why.out);
    assert!(!why.out.contains("  changed "), "{}", why.out);
}

#[test]
fn a_step_in_front_is_one_step_more() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.replace("function(t) t:command \"echo", "function(t) t:command \"true\" t:command \"echo");
    let why = shop.run(&["why", "zlib"]).ends(0);
    assert!(why.out.contains("\n  added task/build/1/command/line\n    + true\n"), "{}", why.out);
    assert!(!why.out.contains("changed task"), "{}", why.out);
}

#[test]
fn nothing_changed_is_an_answer_too() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    let why = shop.run(&["why", "app"]).ends(0);
    assert!(why.out.starts_with("app: nothing to do, because it is installed\n"), "{}", why.out);
    assert!(why.out.ends_with("\nnothing that counts has changed since\n"), "{}", why.out);
}

#[test]
fn what_the_cache_lacks_is_told_until_it_has_it() {
    let shop = Shop::new(SHOP);
    let team = |url: &str| shop.write("cortado.toml", &format!("[stores.team]\ntype = 'http'\nurl = '{url}'\n"));
    team("http://127.0.0.1:1/shop");
    let end = "; `team` was left alone: ";
    shop.run(&["build"]).ends(0).mentions("; 2 artifacts left for a later run to offer again").mentions(end);
    let lacking = "`team` could not keep its artifact: the next run that may write offers it again\n";
    let why = shop.run(&["why", "app"]).ends(0);
    assert!(why.out.ends_with(&format!("nothing that counts has changed since\n{lacking}")), "{}", why.out);
    assert_eq!(shop.json(&["why", "app", "--json"])["owed"], serde_json::json!(["team"]));

    let warehouse = Warehouse::open(Skills::default());
    team(&warehouse.url);
    let text = "shop: nothing to build, 2 artifacts kept that the cache lacked, all 2 tasks are up to date (";
    shop.run(&["build"]).ends(0).mentions(text);
    assert!(!shop.run(&["why", "app"]).ends(0).out.contains("keep its artifact"));
    shop.run(&["build"]).ends(0).mentions("shop: nothing to do, all 2 tasks are up to date");
    std::fs::remove_dir_all(shop.path("cache")).unwrap();
    shop.run(&["clean", "--all"]).ends(0);
    shop.run(&["build"]).ends(0).mentions("  restored  2  ");
}
