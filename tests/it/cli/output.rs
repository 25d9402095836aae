//! How output looks: plain where nobody watches, coloured where that was asked for.

use std::fs::File;
use std::io::Read;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

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
    // Whoever says something first has the first colour.
    let colors = ["\x1b[36mzlib>\x1b[0m", "\x1b[32mzlib>\x1b[0m"];
    assert!(colors.iter().any(|zlib| built.err.contains(zlib)), "{:?}", built.err);
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

/// What a command shows on a terminal, escape sequences and all.
fn on_a_terminal(shop: &Shop, args: &[&str]) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    let mut command = shop.command(args);
    let mut child = command.env("TERM", "xterm").stderr(theirs).spawn().unwrap();
    drop(command); // and its copy of the terminal
    let mut shown = Vec::new();
    // A terminal whose other end was closed ends with an error.
    let _end = File::from(ours).read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap()
}

#[test]
fn on_a_terminal_steps_are_shown_in_place_and_ends_stay() {
    let shop = Shop::new(SHOP);
    let shown = on_a_terminal(&shop, &["build"]);
    assert!(shown.contains("[1/1] echo zlib > @{stage_install_dir}/zlib"), "{shown}");
    assert!(shown.contains("zlib>\x1b[0m \x1b[32mbuilt ("), "{shown:?}");
    assert!(shown.contains("\x1b[2K") && shown.ends_with("\n"), "{shown:?}");
    assert!(!shown.contains("looking in the cache\r\n"), "{shown:?}");
    let again = on_a_terminal(&shop, &["build"]);
    assert!(again.starts_with("shop: nothing to do"), "{again:?}");
}

#[test]
fn on_a_terminal_lines_can_be_plain_too() {
    let shown = on_a_terminal(&Shop::new(SHOP), &["build", "--plain", "--color", "never"]);
    assert!(shown.contains("zlib> looking in the cache\r\n") && !shown.contains('\x1b'), "{shown:?}");
}
