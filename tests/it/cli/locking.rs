//! Two builds, one work directory.

use std::fs::File;
use std::io::Write;

use super::{Running, Shop};

/// A build that goes on until something is written into the pipe.
fn busy() -> (Shop, Running) {
    let shop = Shop::new(
        r#"local shop = project "shop" { install_dir = "out" }
           shop:task "slow" { version = "1", build = function(t) t:command "echo running; cat @{work_dir}/../pipe" end }"#,
    );
    shop.fifo("pipe");
    let mut first = shop.start(&["build"]);
    first.until("slow> running");
    (shop, first)
}

fn release(shop: &Shop) {
    File::options().write(true).open(shop.path("pipe")).unwrap().write_all(b"go on\n").unwrap();
}

#[test]
fn the_second_waits_and_finds_nothing_to_do() {
    let (shop, first) = busy();
    let mut second = shop.start(&["build"]);
    second.until("warning: waiting for `");
    release(&shop);
    first.end(&shop).ends(0);
    let second = second.end(&shop).ends(0).mentions("which is in use by cortado build (process ");
    assert!(second.err.contains("shop: nothing to do"), "{}", second.err);
}

#[test]
fn who_does_not_want_to_wait_is_told_who_is_there() {
    let (shop, first) = busy();
    for patience in [["--no-wait", "-v"], ["--lock-timeout", "0"]] {
        let second = shop.run(&["build", patience[0], patience[1]]).ends(1);
        let expected = "error: `[shop]/.cortado` is in use by cortado build (process ";
        assert!(second.err.contains(expected), "{}", second.err);
        assert!(second.err.ends_with("hint: wait for it to finish, or use another work directory\n"), "{}", second.err);
    }
    shop.run(&["clean", "--no-wait"]).ends(1).mentions("is in use by cortado build");
    release(&shop);
    first.end(&shop).ends(0);
}

#[test]
fn a_plan_does_not_wait() {
    let (shop, first) = busy();
    let plan = shop.run(&["plan"]).ends(0);
    assert!(plan.out.contains("restore or build"), "{}", plan.out);
    release(&shop);
    first.end(&shop).ends(0);
}
