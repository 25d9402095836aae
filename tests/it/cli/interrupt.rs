//! Ctrl-C: children stop, nothing is lost, and the next run goes on.

use std::fs::File;
use std::io::Read;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Shop;

/// A first task that is done at once and a second that goes on until it is stopped, unless a file says otherwise.
fn shop(step: &str) -> Shop {
    let shop = Shop::new(&format!(
        r#"local shop = project "shop" {{ install_dir = "out" }}
           shop:task "first" {{ version = "1", build = function(t) t:command "echo first > @{{stage_install_dir}}/first" end }}
           shop:task "slow" {{ version = "1", depends_on = {{ "first" }}, build = function(t)
             t:command [[if [ -e @{{work_dir}}/../hurry ]; then exit 0; fi
{step}]]
           end }}"#
    ));
    shop.fifo("alive");
    shop
}

/// Ends when nobody has the pipe open any more: when every process of the step is dead.
fn all_dead(shop: &Shop) -> JoinHandle<()> {
    let path = shop.path("alive");
    thread::spawn(move || _ = File::open(path).unwrap().read_to_end(&mut Vec::new()).unwrap())
}

/// A child of a child of the step.
const GRANDCHILD: &str = "exec 9> @{work_dir}/../alive
sh -c 'sh -c \"echo running; exec sleep 1000\" & wait' & wait";

#[test]
fn ctrl_c_stops_grandchildren_and_the_next_run_goes_on() {
    let shop = shop(GRANDCHILD);
    let dead = all_dead(&shop);
    let mut running = shop.start(&["build"]);
    running.until("slow> running");
    running.signal(Signal::INT);
    let ran = running.end(&shop).ends(130).mentions("stopping; interrupt again to kill what is still running\n");
    assert!(ran.err.contains("slow> cancelled"), "{}", ran.err);
    assert!(ran.err.contains("shop: interrupted after "), "{}", ran.err);
    dead.join().unwrap();
    shop.write("hurry", "");
    shop.run(&["build"]).ends(0).mentions("  built      1  slow").mentions("  unchanged  1  first\n");
}

#[test]
fn a_polite_request_of_the_system_is_like_ctrl_c() {
    let shop = shop(GRANDCHILD);
    let dead = all_dead(&shop);
    let mut running = shop.start(&["build"]);
    running.until("slow> running");
    running.signal(Signal::TERM);
    running.end(&shop).ends(130).mentions("  cancelled  1  slow\n");
    dead.join().unwrap();
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_want_to_stop() {
    let shop = shop("trap '' TERM; exec 9> @{work_dir}/../alive; echo running; while :; do sleep 0.05; done");
    let dead = all_dead(&shop);
    let mut running = shop.start(&["build"]);
    running.until("slow> running");
    let start = Instant::now();
    running.signal(Signal::INT);
    running.until("stopping");
    running.signal(Signal::INT);
    running.until("killing");
    running.end(&shop).ends(130);
    dead.join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(9), "it was waited for");
}

#[test]
fn programs_are_told_of_an_interruption_too() {
    let shop = shop(GRANDCHILD);
    let running = shop.start(&["build", "--json"]);
    let mut alive = File::open(shop.path("alive")).unwrap(); // as soon as the step has opened it
    running.signal(Signal::INT);
    let ran = running.end(&shop).ends(130);
    let report: serde_json::Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!((&report["interrupted"], &report["exit"]), (&true.into(), &130.into()));
    assert_eq!(report["tasks"][1]["outcome"], "cancelled");
    alive.read_to_end(&mut Vec::new()).unwrap();
}
