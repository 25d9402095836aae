//! Fresh artifacts: which tiers get them, and what a failed upload comes to.

use std::io::ErrorKind;

use cortado::{CacheMode, Kept, Task, Tiers, WritePolicy};

use super::{Manner, Spy, adds_up, counts, far, gate, hasty, near, run, run_afresh};
use crate::support::{Seen, Shop};

fn kept(seen: &Seen) -> Vec<(&str, &Kept)> {
    let offers = seen.report.tasks.iter().flat_map(|task| &task.offers);
    offers.map(|offer| (&*offer.tier, &offer.kept)).collect()
}

fn run_with(shop: &Shop, policy: WritePolicy, local: Manner, team: Manner) -> (Seen, usize) {
    let [near_spy, far_spy] = [Spy::new(), Spy::new()];
    near_spy.behaves(local);
    far_spy.behaves(team);
    let tiers = Tiers::new([near("local", &near_spy), far("team", &far_spy)]).unwrap().write_policy(policy);
    let project = shop.project([shop.ware("a", "x")]);
    shop.clean();
    let seen = shop.run_with(&project, |engine| engine.callbacks(tiers));
    adds_up(&seen);
    (seen, far_spy.asked("put"))
}

const FULL: Manner = Manner::FailsWhenPut(ErrorKind::StorageFull);

#[test]
fn a_write_policy_says_who_gets_an_artifact_and_what_counts_as_kept() {
    let shop = Shop::new();
    type Case = (WritePolicy, Manner, Manner, Result<bool, &'static str>, usize);
    let both = "`local`: no storage space; `team`: no storage space";
    let cases: [Case; 10] = [
        (WritePolicy::BestEffort, Manner::Good, Manner::Good, Ok(true), 1),
        (WritePolicy::BestEffort, Manner::Good, FULL, Ok(true), 1),
        (WritePolicy::BestEffort, FULL, FULL, Err(both), 1),
        (WritePolicy::BestEffort, Manner::Declines, Manner::Declines, Ok(false), 1),
        (WritePolicy::All, Manner::Good, Manner::Good, Ok(true), 1),
        (WritePolicy::All, Manner::Good, FULL, Err("`team`: no storage space"), 1),
        (WritePolicy::All, Manner::Good, Manner::Declines, Ok(false), 1),
        (WritePolicy::Nearest, Manner::Good, Manner::Good, Ok(true), 0),
        (WritePolicy::Nearest, FULL, Manner::Good, Ok(true), 1),
        (WritePolicy::Nearest, FULL, FULL, Err(both), 1),
    ];
    for (policy, local, team, told, puts) in cases {
        let (seen, asked) = run_with(&shop, policy, local, team);
        let result = seen.stored()[0].as_ref().map(|kept| *kept).map_err(String::as_str);
        assert_eq!((result, asked), (told, puts), "{policy:?}");
    }
}

#[test]
fn each_failed_upload_is_reported_and_none_is_counted_as_written() {
    for manner in [ErrorKind::PermissionDenied, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset] {
        let shop = Shop::new();
        let [local, team] = [Spy::new(), Spy::new()];
        team.behaves(Manner::FailsWhenPut(manner));
        let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y")]);
        let seen = run(&shop, &project, [near("local", &local), far("team", &team)]);
        assert!(seen.report.success());
        let warnings: Vec<_> = seen.warnings();
        let failed = |warning: &&&str| warning.starts_with("`team` did not keep the artifact: ");
        assert_eq!((warnings.len(), warnings.iter().filter(failed).count()), (2, 2), "{warnings:?}");
        let counts = counts(&seen, "team");
        assert_eq!((counts.writes, counts.write_errors, counts.bytes_written), (0, 2, 0));
        adds_up(&seen);
    }
}

#[test]
fn an_upload_that_hangs_is_counted_as_failed_and_the_run_ends() {
    let shop = Shop::new();
    let [local, team] = [Spy::new(), Spy::new()];
    let (gate, _open) = gate();
    team.behaves(Manner::HangsWhenPut(gate));
    let project = shop.project([shop.ware("a", "x")]);
    let seen = run(&shop, &project, [near("local", &local), hasty("team", &team)]);
    assert_eq!(kept(&seen), [("local", &Kept::Stored), ("team", &Kept::TimedOut)]);
    assert_eq!((seen.of("a"), counts(&seen, "team").write_errors), ("built".into(), 1));
}

#[test]
fn what_succeeded_is_uploaded_though_the_run_fails() {
    let shop = Shop::new();
    let team = Spy::new();
    let bad = Task::new("c").version("1").depends_on("a").depends_on("b").command("exit 3");
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y"), bad]);
    let seen = run(&shop, &project, [far("team", &team)]);
    assert!(!seen.report.success());
    assert_eq!(team.contents().len(), 2);
    assert_eq!(counts(&seen, "team").writes, 2);
}

#[test]
fn recaching_asks_nobody_and_replaces_everywhere() {
    let shop = Shop::new();
    let [local, team] = [Spy::new(), Spy::new()];
    let project = shop.project([shop.ware("a", "x")]);
    run(&shop, &project, [near("local", &local), far("team", &team)]);
    let whole = team.contents();
    team.spoil();
    local.forget();
    team.forget();
    shop.clean();
    let tiers = Tiers::new([near("local", &local), far("team", &team)]).unwrap();
    let seen = shop.run_with(&project, |engine| engine.callbacks(tiers).cache_mode(CacheMode::Recache));
    assert_eq!((seen.of("a"), local.asked("get"), team.asked("get")), ("built".into(), 0, 0));
    assert_eq!(team.contents(), whole);
    assert_eq!((counts(&seen, "team").misses.recached, counts(&seen, "local").misses.recached), (1, 1));
    adds_up(&seen);
    assert_eq!(run_afresh(&shop, &project, [far("team", &team)]).of("a"), "restored");
}
