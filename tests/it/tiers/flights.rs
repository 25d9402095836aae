//! Single flight: of many runs on one machine that miss the same artifact, one fetches or builds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use cortado::{Callbacks, DirectoryStore, Event, Flights, Project, Task, Tier, Tiers};

use super::{Gate, Manner, Spy, far, hasty};
use crate::support::{Seen, Shop};

const RUNS: usize = 32;

/// The cache as each run on this machine has it: nothing is shared but directories.
fn tiers(shop: &Shop, far: Option<Tier>) -> Tiers {
    let local = Tier::near("local", shop.store());
    let flights = Flights::open(shop.path("flights")).unwrap();
    Tiers::new([local].into_iter().chain(far)).unwrap().flights(flights)
}

/// A task that installs no file, so that many runs may install it into one place at once.
fn lone(shop: &Shop) -> Task {
    Task::new("lone").version("1").command(shop.counting("lone")).command("mkdir -p @{stage_install_dir}/lone")
}

/// The project of another run: it installs to the same place, which counts, and works in another.
fn project(shop: &Shop, own: &Shop, task: Task) -> Project {
    own.builder().install_dir(shop.path("install")).task(task).build().unwrap()
}

/// Lets as many runs as there are callbacks go at once, and says how the task ended in each.
fn all_at_once(shop: &Shop, task: impl Fn() -> Task + Sync, callbacks: Vec<Tiers>) -> Vec<Seen> {
    let start = std::sync::Barrier::new(callbacks.len());
    std::thread::scope(|scope| {
        let runs: Vec<_> = callbacks
            .into_iter()
            .map(|callbacks| {
                let (start, task) = (&start, &task);
                scope.spawn(move || {
                    let own = Shop::new();
                    let project = project(shop, &own, task());
                    start.wait();
                    own.run_with(&project, |engine| engine.jobs(1).callbacks(callbacks))
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

fn ended(runs: &[Seen], how: &str) -> usize {
    runs.iter().filter(|seen| seen.of("lone") == how).count()
}

#[test]
fn of_many_runs_one_builds_and_the_others_wait_and_hit() {
    let shop = Shop::new();
    let runs = all_at_once(&shop, || lone(&shop), (0..RUNS).map(|_| tiers(&shop, None)).collect());
    assert_eq!((ended(&runs, "built"), ended(&runs, "restored")), (1, RUNS - 1));
    assert_eq!(shop.count("lone"), 1);
    assert!(shop.names("flights").is_empty(), "nothing is left behind");
    runs.iter().for_each(super::adds_up);
}

#[test]
fn of_many_runs_one_downloads_and_the_others_wait_and_hit() {
    let shop = Shop::new();
    let team = Spy::new();
    let patient = || far("team", &team).timeout(Some(std::time::Duration::from_secs(60)));
    all_at_once(&shop, || lone(&shop), vec![tiers(&shop, Some(patient()))]);
    std::fs::remove_dir_all(shop.path("cache")).unwrap();
    team.forget();
    let runs = all_at_once(&shop, || lone(&shop), (0..RUNS).map(|_| tiers(&shop, Some(patient()))).collect());
    assert_eq!((ended(&runs, "restored"), team.asked("get")), (RUNS, 1));
    assert!(shop.names("flights").is_empty());
}

/// A task whose first build waits in its last step until the story says how it ends.
fn slow(shop: &Shop, pipe: &std::path::Path) -> Task {
    let (count, pipe) = (shop.path("count-lone"), pipe.display());
    let step =
        format!("if [ $(wc -c < '{}') = 1 ]; then read line < '{pipe}'; test \"$line\" = good; fi", count.display());
    lone(shop).command(step)
}

#[test]
fn who_waits_for_a_build_that_fails_builds_itself() {
    let shop = Shop::new();
    let pipe = shop.pipe("pipe");
    let (building, built) = channel();
    let (waiting, waited) = channel();
    std::thread::scope(|scope| {
        let (shop, pipe) = (&shop, &pipe);
        let first = scope.spawn(move || {
            let own = Shop::new();
            let project = project(shop, &own, slow(shop, pipe));
            own.run_with(&project, |engine| {
                engine.callbacks(tiers(shop, None)).observe(move |event| {
                    if let Event::StepStarted { step: 3, .. } = event {
                        building.send(()).unwrap();
                    }
                })
            })
        });
        built.recv().unwrap();
        let second = scope.spawn(move || {
            let own = Shop::new();
            let project = project(shop, &own, slow(shop, pipe));
            own.run_with(&project, |engine| {
                engine.callbacks(tiers(shop, None)).observe(move |event| {
                    if let Event::Waiting { holder, .. } = event {
                        waiting.send(holder.clone()).unwrap();
                    }
                })
            })
        });
        let holder = waited.recv().unwrap();
        assert!(holder.starts_with("cortado (process "), "{holder}");
        std::fs::write(pipe, "bad\n").unwrap();
        assert!(!first.join().unwrap().report.success());
        assert_eq!(second.join().unwrap().of("lone"), "built");
    });
    assert_eq!(shop.count("lone"), 2);
    assert!(shop.names("flights").is_empty());
}

#[test]
fn who_waits_for_a_build_does_not_wait_for_its_far_upload() {
    let shop = Shop::new();
    let pipe = shop.pipe("pipe");
    let team = Spy::new();
    let (gate, open) = super::gate();
    team.behaves(Manner::HangsWhenPut(gate));
    let (building, built) = channel();
    std::thread::scope(|scope| {
        let (shop, pipe, team) = (&shop, &pipe, &team);
        let first = scope.spawn(move || {
            let own = Shop::new();
            let project = project(shop, &own, slow(shop, pipe));
            own.run_with(&project, |engine| {
                engine.callbacks(tiers(shop, Some(far("team", team)))).observe(move |event| {
                    if let Event::StepStarted { step: 3, .. } = event {
                        building.send(()).unwrap();
                    }
                })
            })
        });
        built.recv().unwrap();
        let own = Shop::new();
        let same = project(shop, &own, slow(shop, pipe));
        let told = pipe.clone();
        let seen = own.run_with(&same, |engine| {
            engine.callbacks(tiers(shop, None)).observe(move |event| {
                if matches!(event, Event::Waiting { .. }) {
                    std::fs::write(&told, "good\n").unwrap();
                }
            })
        });
        assert_eq!(seen.of("lone"), "restored");
        drop(open);
        assert_eq!(first.join().unwrap().of("lone"), "built");
    });
    assert_eq!(shop.count("lone"), 1);
}

#[test]
fn who_waits_can_be_interrupted_and_loses_patience() {
    let shop = Shop::new();
    let pipe = shop.pipe("pipe");
    let (building, built) = channel();
    std::thread::scope(|scope| {
        let (shop, pipe) = (&shop, &pipe);
        let first = scope.spawn(move || {
            let own = Shop::new();
            let project = project(shop, &own, slow(shop, pipe));
            own.run_with(&project, |engine| {
                engine.callbacks(tiers(shop, None)).observe(move |event| {
                    if let Event::StepStarted { step: 3, .. } = event {
                        building.send(()).unwrap();
                    }
                })
            })
        });
        built.recv().unwrap();
        let own = Shop::new();
        let same = project(shop, &own, slow(shop, pipe));
        let cancel = cortado::Cancel::new();
        let impatient = cancel.clone();
        let seen = own.run_with(&same, |engine| {
            engine.callbacks(tiers(shop, None)).cancel(&cancel).observe(move |event| {
                if matches!(event, Event::Waiting { .. }) {
                    impatient.cancel();
                }
            })
        });
        assert_eq!(seen.of("lone"), "cancelled");
        // One that has no patience at all builds beside the other.
        let flights = Flights::open(shop.path("flights")).unwrap().patience(std::time::Duration::ZERO);
        let tiers = Tiers::new([Tier::near("local", shop.store())]).unwrap().flights(flights);
        assert_eq!(own.run_with(&same, |engine| engine.callbacks(tiers)).of("lone"), "built");
        std::fs::write(pipe, "good\n").unwrap();
        assert_eq!(first.join().unwrap().of("lone"), "built");
    });
    assert!(shop.names("flights").is_empty());
}

/// Callbacks that count what the engine promises about claims.
#[derive(Default)]
struct Strict {
    claimed: AtomicUsize,
    released: AtomicUsize,
}

struct Shared(Arc<Strict>);

impl Callbacks for Shared {
    fn claim(&self, _: &cortado::Claim<'_>) -> anyhow::Result<cortado::Claimed> {
        match self.0.claimed.fetch_add(1, Ordering::SeqCst) {
            0 => anyhow::bail!("nobody knows"),
            _ => Ok(cortado::Claimed::Build),
        }
    }

    fn release(&self, _: &str) {
        self.0.released.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn each_claim_is_released_once_however_the_build_ends() {
    let shop = Shop::new();
    let bad = Task::new("bad").version("1").command("exit 3");
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a"), bad.depends_on("b")]);
    let strict = Arc::<Strict>::default();
    let seen = shop.run_with(&project, |engine| engine.callbacks(Shared(strict.clone())));
    assert_eq!((seen.of("a"), seen.of("b")), ("built".into(), "built".into()));
    let counts = [&strict.claimed, &strict.released].map(|counter| counter.load(Ordering::SeqCst));
    assert_eq!(counts, [3, 3]);
    assert_eq!(seen.warnings(), ["could not find out who else builds it: nobody knows"]);
}

#[test]
fn a_run_whose_near_tier_hangs_still_lets_others_fly() {
    let shop = Shop::new();
    let team = Spy::new();
    let gate = Arc::<Gate>::default();
    team.behaves(Manner::Hangs(gate.clone()));
    let tiers = |patience| {
        let flights = Flights::open(shop.path("flights")).unwrap().patience(patience);
        let local = Tier::near("local", DirectoryStore::open(shop.path("cache")).unwrap());
        Tiers::new([local, hasty("team", &team)]).unwrap().flights(flights)
    };
    let callbacks = vec![tiers(std::time::Duration::from_secs(60)), tiers(std::time::Duration::from_secs(60))];
    let runs = all_at_once(&shop, || lone(&shop), callbacks);
    assert_eq!(ended(&runs, "built") + ended(&runs, "restored"), 2);
    gate.open();
}
