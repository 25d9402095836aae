//! Required tiers: a run that cannot do without one ends with exit code 3, before anything is built.

use std::io::ErrorKind;

use cortado::{CachePolicy, Error, Exit, Tiers};

use super::{Manner, Spy, far, gate, hasty, near, run};
use crate::support::Shop;

#[test]
fn a_required_tier_that_does_not_answer_ends_the_run_before_anything_is_built() {
    let (gate, _open) = gate();
    for manner in [Manner::Hangs(gate), Manner::Fails(ErrorKind::ConnectionRefused)] {
        let shop = Shop::new();
        let [local, team] = [Spy::new(), Spy::new()];
        team.behaves(manner);
        let project = shop.project([shop.ware("a", "x")]);
        let fails = |tiers: Tiers, policy| {
            let (_, result) = shop.try_run(&project, |engine| engine.callbacks(tiers).cache_policy(policy));
            let error = result.unwrap_err();
            assert_eq!(Exit::of_error(&error).code(), 3);
            assert!(matches!(error, Error::Unready { .. }));
            error.to_string()
        };
        let tiers = |required| Tiers::new([near("local", &local), hasty("team", &team).required(required)]).unwrap();
        let text = fails(tiers(true), CachePolicy::Degrade);
        assert!(text.starts_with("the cache is required and of no use: the tier `team`, spy: "), "{text}");
        fails(tiers(false), CachePolicy::RequireRead);
        assert_eq!((shop.count("a"), team.asked("get")), (0, 0));
        let tiers = Tiers::new([near("local", &local), hasty("team", &team)]).unwrap();
        assert!(shop.run_with(&project, |engine| engine.callbacks(tiers)).report.success(), "nobody required it");
    }
}

#[test]
fn a_required_tier_that_fails_later_ends_the_run_too() {
    let shop = Shop::new();
    let [local, team] = [Spy::new(), Spy::new()];
    team.behaves(Manner::FailsWhenPut(ErrorKind::PermissionDenied));
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    let seen = run(&shop, &project, [near("local", &local), far("team", &team).required(true)]);
    let Error::Cache { operation: "update", reason, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
    assert_eq!(reason, "`team`: permission denied");
    assert_eq!((Exit::of_report(&seen.report).code(), shop.count("b")), (3, 0));
}

#[test]
fn a_store_alone_is_checked_by_the_policy() {
    let shop = Shop::new();
    let team = Spy::new();
    let project = shop.project([shop.ware("a", "x")]);
    let run = |policy| {
        let (_, result) = shop.try_run(&project, |engine| engine.store(team.clone()).cache_policy(policy));
        result
    };
    team.behaves(Manner::Fails(ErrorKind::ConnectionRefused));
    assert!(matches!(run(CachePolicy::RequireRead), Err(Error::Unready { .. })));
    assert!(run(CachePolicy::Degrade).unwrap().success());
}
