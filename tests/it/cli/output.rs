//! How output looks: plain where nobody watches, coloured where that was asked for.

use super::{SHOP, Shop};

#[test]
fn nothing_is_coloured_where_there_is_no_terminal() {
    let shop = Shop::new(SHOP);
    let built = shop.run(&["build"]).ends(0);
    let plan = shop.run(&["plan"]).ends(0);
    assert!(!(built.err + &plan.out).contains('\x1b'));
}

#[test]
fn colors_are_used_where_they_are_asked_for_and_no_color_is_no_question() {
    let shop = Shop::new(SHOP);
    let plan = |args: &[&str], env: &[(&str, &str)]| shop.run_with(args, env).ends(0).out.contains('\x1b');
    assert!(plan(&["plan", "--color", "always"], &[]));
    assert!(plan(&["plan"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!plan(&["plan"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!plan(&["plan", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    let built = shop.run(&["build", "--color", "always"]).ends(0);
    assert!(built.err.contains("\x1b[36mzlib>\x1b[0m"), "{:?}", built.err);
}

#[test]
fn colors_of_tools_do_not_come_through_where_none_are_wanted() {
    let shop = Shop::new(
        r#"local shop = project "shop" { install_dir = "out" }
           shop:task "a" { version = "1", build = function(t) t:command [[printf '\033[31mred\033[0m\n']] end }"#,
    );
    shop.run(&["build"]).ends(0).mentions("\na> red\n");
}

#[test]
fn a_quiet_build_says_nothing_when_all_is_well() {
    let shop = Shop::new(SHOP);
    shop.run(&["build", "--quiet"]).ends(0).reports("").says("");
}

#[test]
fn what_a_recipe_prints_is_not_part_of_a_report() {
    let shop = Shop::new(&format!("print('hello')\n{SHOP}"));
    let listing = shop.run(&["list", "--json"]).ends(0).mentions("hello");
    assert!(!listing.out.contains("hello"), "{}", listing.out);
}
