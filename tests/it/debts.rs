//! Debts: what a cache could not keep is offered again by the next run that may, without a build.

use std::fs::{self, File, FileTimes};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use cortado::{
    CacheMode, CachePolicy, Callbacks, Cancel, Clean, Engine, Error, Event, Exit, LinkMode, Project, Store, Tier, Tiers,
};

use crate::support::{Seen, Shop};
use crate::tiers::{Manner, Spy};

const FULL: Manner = Manner::FailsWhenPut(ErrorKind::StorageFull);
const DOWN: Manner = Manner::Fails(ErrorKind::ConnectionRefused);

/// What was said of artifacts: the task, and whether it was kept.
fn stored(seen: &Seen) -> Vec<String> {
    let mut told: Vec<_> = seen
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Stored { task, result, .. } => Some(format!("{task} {}", result.is_ok())),
            _ => None,
        })
        .collect();
    told.sort();
    told
}

fn run(shop: &Shop, project: &Project, spy: &Arc<Spy>) -> Seen {
    shop.run_with(project, |engine| engine.store(spy.clone()))
}

/// A shop whose cache has failed to keep its two wares.
fn indebted() -> (Shop, Project, Arc<Spy>) {
    let (shop, spy) = (Shop::new(), Spy::new());
    spy.behaves(FULL);
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    let seen = run(&shop, &project, &spy);
    assert_eq!((seen.all(), seen.cache(), seen.report.cache.owed), ("a built, b built".into(), [0, 2, 0, 0, 2], 2));
    spy.behaves(Manner::Good);
    (shop, project, spy)
}

#[test]
fn what_could_not_be_kept_is_kept_by_the_next_run_which_builds_nothing() {
    let (shop, project, spy) = indebted();
    let seen = run(&shop, &project, &spy);
    assert_eq!((seen.all(), seen.cache()), ("a up to date, b up to date".into(), [0, 0, 0, 2, 0]));
    assert_eq!((stored(&seen), seen.report.cache.owed), (vec!["a true".to_owned(), "b true".into()], 0));
    let offers: Vec<_> = seen.report.tasks.iter().map(|task| task.offers.len()).collect();
    assert_eq!((offers, seen.report.cache.stored_bytes > 200), (vec![1, 1], true));
    assert!(matches!(seen.events.last(), Some(Event::RunFinished { success: true, .. })));
    assert!(shop.is_tidy() && !shop.work("owed").exists() && !shop.work("unfinished").exists());

    spy.forget();
    assert_eq!(stored(&run(&shop, &project, &spy)), [""; 0]);
    assert_eq!(spy.asked("put"), 0);
    shop.clean();
    assert_eq!(run(&shop, &project, &spy).all(), "a restored, b restored");
    assert_eq!((shop.count("a"), shop.count("b")), (1, 1));
}

#[test]
fn it_is_what_a_build_would_have_kept_with_what_is_known_of_it() {
    let (shop, project, spy) = indebted();
    run(&shop, &project, &spy);
    let (late, fresh) = (spy.contents(), Spy::new());
    let name = spy.list().unwrap().next().unwrap().unwrap().name;
    let provenance = spy.describe(&name).unwrap().unwrap().provenance;
    assert!(provenance.build_time.is_some() && provenance.task.is_some(), "{provenance:?}");
    shop.clean();
    run(&shop, &project, &fresh);
    assert_eq!(late, fresh.contents());
}

#[cfg(feature = "http")]
#[test]
fn a_server_that_was_down_gets_it_when_it_is_up() {
    use crate::support::warehouse::{Skills, Warehouse};
    use cortado::stores::Http;
    use std::time::Duration;

    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y")]);
    let warehouse = Warehouse::open(Skills::default());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = |url: &str| {
        let mut http = Http::new(url.to_owned());
        (http.network.total_timeout, http.network.longest_pause) = (Duration::from_secs(2), Duration::from_millis(1));
        let store = http.open().unwrap();
        shop.run_with(&project, |engine| engine.store(store))
    };
    let down = at(&format!("http://{nobody}/artifacts"));
    assert_eq!((down.all(), down.report.cache.owed), ("a built, b built".into(), 2));
    let up = at(&warehouse.url);
    assert_eq!((up.all(), up.cache()), ("a up to date, b up to date".into(), [0, 0, 0, 2, 0]));
    shop.clean();
    assert_eq!(at(&warehouse.url).all(), "a restored, b restored");
}

fn tiers(local: &Arc<Spy>, team: &Arc<Spy>) -> Tiers {
    Tiers::new([Tier::near("local", local.clone()), Tier::far("team", team.clone())]).unwrap()
}

#[test]
fn only_the_tier_that_lacks_it_is_offered_it() {
    let (shop, local, team) = (Shop::new(), Spy::new(), Spy::new());
    team.behaves(DOWN);
    let project = shop.project((0..6).map(|number| shop.ware(&format!("t{number}"), "x")));
    let run = || shop.run_with(&project, |engine| engine.callbacks(tiers(&local, &team)));
    let down = run();
    assert_eq!((down.report.cache.stored, down.report.cache.owed), (6, 6), "most were not even offered to `team`");
    team.behaves(Manner::Good);
    [&local, &team].iter().for_each(|spy| spy.forget());
    let up = run();
    assert_eq!((local.asked("put"), team.asked("put"), up.report.cache.owed), (0, 6, 0));
    assert_eq!(team.contents(), local.contents());
    let writes: Vec<_> = up.report.cache.tiers.iter().map(|tier| (tier.counts.offers, tier.counts.writes)).collect();
    assert_eq!(writes, [(0, 0), (6, 6)]);
    assert_eq!(shop.count("t0"), 1);
}

#[test]
fn the_nearest_has_it_so_nobody_is_owed_anything() {
    let (shop, local, team) = (Shop::new(), Spy::new(), Spy::new());
    local.behaves(FULL);
    let project = shop.project([shop.ware("a", "x")]);
    let nearest = || tiers(&local, &team).write_policy(cortado::WritePolicy::Nearest);
    let seen = shop.run_with(&project, |engine| engine.callbacks(nearest()));
    assert_eq!((seen.cache(), seen.report.cache.owed), ([0, 1, 0, 1, 0], 0));
    assert!(!shop.work("owed").exists());
}

#[test]
fn a_cache_that_is_still_dead_costs_one_artifact_and_forgets_none() {
    let shop = Shop::new();
    let spy = Spy::new();
    spy.behaves(DOWN);
    let project = shop.project((0..20).map(|number| shop.ware(&format!("t{number}"), "x")));
    run(&shop, &project, &spy);
    for _ in 0..3 {
        spy.forget();
        let seen = run(&shop, &project, &spy);
        assert!(seen.report.success());
        assert_eq!((spy.asked("put"), seen.cache(), seen.report.cache.owed), (1, [0, 0, 0, 0, 1], 20));
    }
    spy.behaves(Manner::Good);
    assert_eq!((run(&shop, &project, &spy).cache(), spy.contents().len()), ([0, 0, 0, 20, 0], 20));
}

#[test]
fn one_that_nobody_takes_does_not_stand_in_the_way_of_the_others() {
    let (shop, spy) = (Shop::new(), Spy::new());
    let project = shop.project(["bad", "c", "d", "e"].map(|name| shop.ware(name, "x")));
    spy.behaves(DOWN);
    run(&shop, &project, &spy);
    spy.behaves(Manner::Good);
    let picky = || {
        let kept = spy.clone();
        let update = move |artifact: &cortado::Artifact| {
            anyhow::ensure!(artifact.name() != "bad", "it is too good for this cache");
            kept.update(artifact)
        };
        shop.run_with(&project, |engine| engine.callbacks(cortado::closures(|_| Ok(false), update)))
    };
    let left: Vec<_> = (0..3).map(|_| picky().report.cache.owed).collect();
    assert_eq!((left[1], left[2], spy.contents().len()), (1, 1, 3), "{left:?}");
}

#[test]
fn who_may_not_write_offers_nothing_and_forgets_nothing() {
    let (shop, project, spy) = indebted();
    spy.forget();
    for mode in [CacheMode::Off, CacheMode::ReadOnly] {
        let seen = shop.run_with(&project, |engine| engine.store(spy.clone()).cache_mode(mode));
        assert_eq!((seen.all(), spy.asked("put")), ("a up to date, b up to date".into(), 0));
    }
    assert_eq!(shop.run_with(&project, |engine| engine).all(), "a up to date, b up to date");
    assert_eq!(run(&shop, &project, &spy).cache(), [0, 0, 0, 2, 0]);
}

#[test]
fn what_is_installed_again_from_its_tree_is_offered_again_too() {
    let (shop, project, spy) = indebted();
    crate::support::remove(&shop.path("install"));
    let seen = run(&shop, &project, &spy);
    assert_eq!((seen.all(), seen.cache()), ("a installed, b installed".into(), [0, 0, 0, 2, 0]));
    assert!(!shop.work("owed").exists());
}

#[test]
fn without_its_tree_nothing_is_owed() {
    let (shop, project, spy) = indebted();
    Engine::new(&project).clean(&Clean::new().trees(true)).unwrap();
    spy.behaves(FULL);
    assert_eq!(run(&shop, &project, &spy).all(), "a built, b built", "these are new ones");
    crate::support::remove(&shop.work("trees"));
    spy.behaves(Manner::Good);
    let seen = run(&shop, &project, &spy);
    assert_eq!((seen.all(), stored(&seen)), ("a up to date, b up to date".into(), vec![]));
    assert!(!shop.work("owed").exists());
}

#[test]
fn what_was_restored_is_owed_by_whoever_built_it() {
    let (shop, project, spy) = indebted();
    let other = Shop::new();
    let elsewhere = other.builder().install_dir(shop.path("install")).tasks(project.tasks().iter().cloned());
    crate::support::remove(&shop.path("install"));
    other.run_with(&elsewhere.build().unwrap(), |engine| engine.store(spy.clone()));
    let given = spy.contents();
    assert_eq!(given.len(), 2);
    for dir in ["install", "work/trees"] {
        crate::support::remove(&shop.path(dir));
    }
    spy.forget();
    assert_eq!(run(&shop, &project, &spy).all(), "a restored, b restored");
    assert_eq!((spy.asked("put"), shop.work("owed").exists()), (0, false));
}

#[test]
fn a_tree_that_is_not_what_was_packed_goes_nowhere() {
    let (shop, spy) = (Shop::new(), Spy::new());
    spy.behaves(FULL);
    let project = shop.builder().link_mode(LinkMode::Hardlink).tasks([shop.ware("a", "good")]).build().unwrap();
    let tag = run(&shop, &project, &spy).tag("a");
    let installed = shop.installed("share/a");
    let before = fs::metadata(&installed).unwrap();
    assert_eq!(before.nlink(), 2, "it is the tree's own file");
    let mut file = File::options().write(true).open(&installed).unwrap();
    file.write_all(b"evil").unwrap();
    file.set_times(FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
    spy.behaves(Manner::Good);
    spy.forget();
    let seen = run(&shop, &project, &spy);
    let warning = "its tree is not what was packed when it was built, and is not used again";
    assert_eq!((seen.all(), seen.warnings(), spy.asked("put")), ("a up to date".into(), vec![warning], 0));
    assert!(!shop.work("trees").join(tag).exists() && !shop.work("owed").exists());
}

#[test]
fn a_departed_task_owes_nothing_and_an_older_version_does_when_it_is_back() {
    let (shop, project, spy) = indebted();
    let older = || shop.project([shop.ware("a", "x")]);
    let newer = shop.project([shop.ware("a", "newer")]);
    let seen = run(&shop, &newer, &spy);
    assert_eq!((seen.all(), seen.report.cache.owed), ("a built".into(), 1), "`b` has left");
    let seen = run(&shop, &older(), &spy);
    assert_eq!((seen.all(), stored(&seen)), ("a installed".into(), vec!["a true".to_owned()]));
    let seen = run(&shop, &project, &spy);
    assert_eq!((seen.all(), stored(&seen)), ("a up to date, b installed".into(), vec![]));
}

#[test]
fn whoever_interrupts_the_drain_is_owed_the_rest() {
    let (shop, spy, cancel) = (Shop::new(), Spy::new(), Cancel::new());
    let (gate, opening) = crate::tiers::gate();
    spy.behaves(Manner::HangsWhenPut(gate));
    let project = shop.builder().callback_timeout(None).tasks(["a", "b"].map(|name| shop.ware(name, "x")));
    let (project, impatient) = (project.build().unwrap(), cancel.clone());
    let seen = shop.run_with(&project, |engine| {
        engine.store(spy.clone()).cancel(&cancel).observe(move |event| {
            if matches!(event, Event::Draining { .. }) {
                impatient.cancel();
            }
        })
    });
    assert_eq!((seen.all(), seen.report.interrupted), ("a built, b built".into(), true));
    drop(opening);
    let next = Spy::new();
    assert_eq!((run(&shop, &project, &next).cache(), next.contents().len()), ([0, 0, 0, 2, 0], 2));
    assert_eq!((shop.count("a"), shop.count("b")), (1, 1));
}

#[test]
fn whoever_interrupts_the_paying_of_debts_is_told_so_and_owed_them() {
    let (shop, project, spy) = indebted();
    let (cancel, count) = (Cancel::new(), 2);
    let impatient = cancel.clone();
    let seen = shop.run_with(&project, |engine| {
        engine.store(spy.clone()).cancel(&cancel).observe(move |event| {
            if matches!(event, Event::TaskFinished { .. }) {
                impatient.cancel();
            }
        })
    });
    assert_eq!((seen.all(), seen.report.cache.owed), ("a up to date, b up to date".into(), count));
    assert_eq!(Exit::of_report(&seen.report), Exit::Interrupted);
    assert_eq!(run(&shop, &project, &spy).cache(), [0, 0, 0, 2, 0]);
}

#[test]
fn where_it_has_to_be_kept_a_debt_that_cannot_be_paid_is_a_failure_and_no_loss() {
    let (shop, project, spy) = indebted();
    let strict =
        || shop.run_with(&project, |engine| engine.store(spy.clone()).cache_policy(CachePolicy::RequireWrite).jobs(1));
    spy.behaves(FULL);
    let seen = strict();
    assert!(matches!(seen.error("a"), Error::Cache { operation: "update", .. }), "{:?}", seen.error("a"));
    assert_eq!(Exit::of_report(&seen.report), Exit::Cache);
    assert_eq!((shop.text("install/share/a"), seen.finished("a"), seen.report.cache.owed), ("x".into(), 1, 2));
    spy.behaves(Manner::Good);
    let seen = strict();
    assert_eq!((seen.all(), seen.cache()), ("a up to date, b up to date".into(), [0, 0, 0, 2, 0]));
    assert_eq!((shop.count("a"), shop.count("b")), (1, 1));
}

#[test]
fn what_is_built_is_not_held_up_by_what_is_owed() {
    let (shop, _, spy) = indebted();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a"), shop.ware("c", "z")]);
    let seen = shop.run_with(&project, |engine| engine.store(spy.clone()).jobs(1).cache_mode(CacheMode::WriteOnly));
    let at = |wanted: &dyn Fn(&Event) -> bool| seen.events.iter().position(wanted).unwrap();
    let step = at(&|event| matches!(event, Event::StepStarted { .. }));
    let storing = at(&|event| matches!(event, Event::Storing { .. }));
    assert!(step < storing, "{:?}", seen.events);
    assert_eq!((seen.all(), stored(&seen).len()), ("a up to date, b up to date, c built".into(), 3));
}
