//! Near before far: what a far tier has fills the nearer ones, and only what is whole.

use cortado::{Event, Miss, TierMode};

use super::{Manner, Spy, adds_up, counts, far, near, run, run_afresh};
use crate::support::{Shop, look};

#[test]
fn what_one_machine_built_another_restores() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("zlib", "z"), shop.ware("app", "a").depends_on("zlib")]);
    let (ours, theirs, team) = (Spy::new(), Spy::new(), Spy::new());
    let first = run(&shop, &project, [near("local", &ours), far("team", &team)]);
    assert_eq!(first.all(), "zlib built, app built");
    assert_eq!((ours.contents().len(), team.contents().len()), (2, 2));
    let built = look(&shop.path("install"));
    let second = run_afresh(&shop, &project, [near("local", &theirs), far("team", &team)]);
    assert_eq!(second.all(), "zlib restored, app restored");
    assert_eq!(look(&shop.path("install")), built);
    assert_eq!(theirs.contents(), ours.contents(), "the near tier has the same bytes now");
    assert_eq!([shop.count("zlib"), shop.count("app")], [1, 1]);
    adds_up(&first);
    adds_up(&second);
    assert!(shop.is_tidy());
}

#[test]
fn a_far_hit_fills_all_nearer_tiers_and_a_near_hit_asks_nobody_else() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let [local, site, team] = [Spy::new(), Spy::new(), Spy::new()];
    run(&shop, &project, [far("team", &team)]);
    let tiers = || [near("local", &local), far("site", &site), far("team", &team)];
    let filling = run_afresh(&shop, &project, tiers());
    assert_eq!(filling.of("a"), "restored");
    let from = filling.events.iter().find_map(|event| match event {
        Event::Fetched { tier, size, .. } => Some((tier.to_string(), *size)),
        _ => None,
    });
    let size = team.contents()[0].len() as u64;
    assert_eq!(from, Some(("team".into(), size)));
    assert_eq!((local.contents(), site.contents()), (team.contents(), team.contents()));
    for name in ["local", "site"] {
        let counts = counts(&filling, name);
        assert_eq!((counts.misses.absent, counts.fills, counts.writes, counts.bytes_written), (1, 1, 1, size));
    }
    assert!(counts(&filling, "team").saved > std::time::Duration::ZERO, "the far tier knew how long it took to build");
    adds_up(&filling);
    [&local, &site, &team].into_iter().for_each(|spy| spy.forget());
    assert_eq!(run_afresh(&shop, &project, tiers()).of("a"), "restored");
    assert_eq!([local.asked("get"), site.all_asked(), team.all_asked()], [1, 0, 0]);
    let knows = &local.objects.lock().unwrap().values().next().unwrap().1.clone();
    assert_eq!(
        (knows.task.as_deref(), knows.build_time.is_some()),
        (Some("a"), true),
        "where it comes from went along"
    );
}

#[test]
fn what_is_corrupt_fills_nothing_and_is_removed_where_that_is_allowed() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let [local, site, team] = [Spy::new(), Spy::new(), Spy::new()];
    run(&shop, &project, [far("team", &team), far("site", &site)]);
    let whole = team.contents();
    site.spoil();
    let healed = run_afresh(&shop, &project, [near("local", &local), far("site", &site), far("team", &team)]);
    assert_eq!(healed.of("a"), "restored", "the next tier is asked");
    assert_eq!((local.contents(), site.contents()), (whole.clone(), whole.clone()));
    let counted = counts(&healed, "site");
    assert_eq!((counted.misses.corrupt, counted.removed, counted.fills, site.asked("remove")), (1, 1, 1, 1));
    adds_up(&healed);
    local.clear();
    team.spoil();
    team.forget();
    let reading = far("team", &team).mode(TierMode::Read);
    let rebuilt = run_afresh(&shop, &project, [near("local", &local), reading]);
    let [Miss::Corrupt(why)] = rebuilt.misses()[..] else { panic!("{:?}", rebuilt.misses()) };
    assert!(why.starts_with("`team`: "), "{why}");
    assert_eq!((rebuilt.of("a"), team.asked("remove"), team.asked("put")), ("built".into(), 0, 0));
    assert_eq!((local.contents(), local.asked("put")), (whole, 2), "what was built is kept, what was corrupt is not");
    adds_up(&rebuilt);
    assert!(shop.is_tidy());
}

#[test]
fn half_an_object_is_a_miss_and_a_broken_connection_another() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let [local, team] = [Spy::new(), Spy::new()];
    run(&shop, &project, [far("team", &team)]);
    for (manner, removed) in [(Manner::Breaks, 0), (Manner::Halves, 1)] {
        team.behaves(manner);
        team.forget();
        local.clear();
        let seen = run_afresh(&shop, &project, [near("local", &local), far("team", &team)]);
        assert_eq!((seen.of("a"), team.asked("remove")), ("built".into(), removed));
        let misses = &counts(&seen, "team").misses;
        assert_eq!((misses.corrupt, misses.read_errors), (removed as u64, 1 - removed as u64));
        assert_eq!(counts(&seen, "local").fills, 0);
        adds_up(&seen);
    }
}

#[test]
fn a_mode_says_what_a_tier_is_for() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    for (mode, gets, puts) in
        [(TierMode::ReadWrite, 1, 1), (TierMode::Read, 1, 0), (TierMode::Write, 0, 1), (TierMode::Off, 0, 0)]
    {
        let spy = Spy::new();
        let seen = run_afresh(&shop, &project, [near("local", &spy).mode(mode)]);
        assert_eq!((seen.of("a"), spy.asked("get"), spy.asked("put")), ("built".into(), gets, puts), "{mode:?}");
        let counts = counts(&seen, "local");
        assert_eq!((counts.misses.disabled, counts.unwritten), (1 - gets as u64, 1 - puts as u64));
        adds_up(&seen);
    }
}

#[test]
fn tiers_need_names_of_their_own() {
    let spy = Spy::new();
    let error = cortado::Tiers::new([near("team", &spy), far("team", &spy)]).unwrap_err();
    assert_eq!(error.to_string(), "tier `team`: two tiers have this name");
    assert!(cortado::Tiers::new([near("", &spy)]).is_err());
}

#[cfg(feature = "signing")]
#[test]
fn what_nobody_trusted_has_signed_is_replaced_by_what_a_farther_tier_has() {
    use cortado::SigningKey;
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let [local, team] = [Spy::new(), Spy::new()];
    let ours = SigningKey::from_seed([7; 32]);
    let signing = |tiers: Vec<cortado::Tier>| {
        shop.clean();
        let tiers = cortado::Tiers::new(tiers).unwrap();
        let ours = ours.clone();
        shop.run_with(&project, |engine| engine.callbacks(tiers).trust([ours.public()]).sign(ours))
    };
    signing(vec![far("team", &team)]);
    run_afresh(&shop, &project, [near("local", &local)]);
    let seen = signing(vec![near("local", &local), far("team", &team)]);
    assert_eq!(seen.of("a"), "restored");
    let counted = counts(&seen, "local");
    assert_eq!((counted.misses.untrusted, counted.removed, counted.fills), (1, 0, 1));
    assert_eq!(local.contents(), team.contents());
    adds_up(&seen);
}

#[test]
fn what_a_callback_distrusts_is_not_used() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    shop.run(&project);
    let object = shop.objects().remove(0);
    shop.clean();
    let fetch = move |cacher: &cortado::Cacher| {
        cacher.unpack(&object)?;
        cacher.distrust("it is Friday");
        Ok(false)
    };
    let seen = shop.run_with(&project, |engine| engine.callbacks(cortado::closures(fetch, |_| Ok(true))));
    assert_eq!((seen.of("a"), seen.misses()), ("built".into(), vec![&Miss::Untrusted("it is Friday".into())]));
    assert!(shop.is_tidy());
}
