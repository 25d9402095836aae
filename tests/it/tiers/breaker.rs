//! A tier that is dead, slow, refusing or lying costs a run its budget at most, and is told of once.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cortado::{Miss, Objects, Project, Put, Store, Stored, Tier};

use super::{Gate, Manner, Opening, Spy, adds_up, counts, far, gate, hasty, left, near, run, run_afresh};
use crate::support::{Seen, Shop};

/// Many tasks, none of which waits for another.
fn wide(shop: &Shop, count: usize) -> Project {
    shop.project((0..count).map(|number| shop.ware(&format!("t{number}"), "x")))
}

/// A service that takes every connection and never says anything.
struct Silent {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Silent {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, held) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (count, hold) = (connections.clone(), held.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                hold.lock().unwrap().push(stream);
            }
        });
        Self { address, connections, held }
    }

    fn ask(&self) -> anyhow::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(b"hello?")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

impl Store for Silent {
    fn place(&self) -> String {
        "silent".into()
    }

    fn get(&self, _: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.ask().map(|_| None)
    }

    fn put(&self, _: &str, _: &mut dyn Read, _: &Put) -> anyhow::Result<Stored> {
        self.ask().map(|_| Stored::New)
    }

    fn has(&self, _: &str) -> anyhow::Result<bool> {
        self.ask().map(|_| false)
    }

    fn remove(&self, _: &str) -> anyhow::Result<bool> {
        self.ask().map(|_| false)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        Ok(Box::new(std::iter::empty()))
    }
}

/// How long a run of many tasks takes with these tiers, and what it shows.
fn timed(tiers: Vec<Tier>, jobs: usize, transfers: usize) -> (Seen, Duration) {
    let shop = Shop::new();
    let project = wide(&shop, 24);
    let (tiers, start) = (cortado::Tiers::new(tiers).unwrap(), Instant::now());
    let seen = shop.run_with(&project, |engine| engine.callbacks(tiers).jobs(jobs).transfers(transfers));
    assert!(seen.report.success());
    (seen, start.elapsed())
}

#[test]
fn a_remote_that_never_answers_costs_one_time_out_whatever_the_number_of_tasks() {
    let timeout = Duration::from_millis(400);
    for (jobs, transfers) in [(1, 1), (4, 8)] {
        let mut costs = Vec::new();
        // One of three, since the machine may be busy with something else just then.
        while costs.len() < 3 && costs.last().is_none_or(|cost| *cost > timeout + Duration::from_secs(1)) {
            let (_, alone) = timed(vec![near("local", &Spy::new())], jobs, transfers);
            let silent = Arc::new(Silent::new());
            let remote = Tier::far("team", silent.clone()).timeout(Some(timeout));
            let (seen, with_remote) = timed(vec![near("local", &Spy::new()), remote], jobs, transfers);
            costs.push(with_remote.saturating_sub(alone));
            assert!(silent.connections.load(Ordering::SeqCst) <= transfers, "who came later did not even ask");
            assert_eq!(left(&seen), [("team", "no answer within 400 ms")]);
            assert_eq!(seen.warnings(), [""; 0]);
            let misses = &counts(&seen, "team").misses;
            assert!(misses.timed_out >= 1 && misses.timed_out + misses.skipped == 24, "{misses:?}");
            assert_eq!(counts(&seen, "team").unwritten, 24);
            assert_eq!(seen.report.cache.stored, 24, "the near tier has everything");
            adds_up(&seen);
            silent.held.lock().unwrap().clear();
        }
        assert!(costs.last().is_some_and(|cost| *cost <= timeout + Duration::from_secs(1)), "{costs:?}");
    }
}

#[test]
fn a_tier_that_fails_is_left_alone_after_a_few_times() {
    for (kind, refused) in [(ErrorKind::ConnectionRefused, 3), (ErrorKind::PermissionDenied, 3), (ErrorKind::Other, 0)]
    {
        let shop = Shop::new();
        let team = Spy::new();
        team.behaves(Manner::Fails(kind));
        let seen = shop.run_with(&wide(&shop, 8), |engine| {
            engine.transfers(1).callbacks(cortado::Tiers::new([far("team", &team)]).unwrap())
        });
        assert!(seen.report.success());
        let counts = counts(&seen, "team");
        let failures = counts.misses.refused + counts.misses.read_errors + counts.write_errors;
        assert_eq!((failures, team.all_asked()), (3, 3), "{kind}");
        assert_eq!(counts.misses.refused > 0, refused > 0, "{kind}");
        assert_eq!(counts.misses.skipped + counts.unwritten, 13);
        assert_eq!(left(&seen).len(), 1);
        adds_up(&seen);
    }
}

#[test]
fn a_tier_that_panics_or_lies_is_left_alone_too() {
    let shop = Shop::new();
    let team = Spy::new();
    let project = wide(&shop, 8);
    run(&shop, &project, [far("team", &team)]);
    team.spoil();
    let reading = || far("team", &team).mode(cortado::TierMode::Read);
    let alone = |tier| {
        shop.clean();
        let tiers = cortado::Tiers::new([tier]).unwrap();
        shop.run_with(&project, |engine| engine.transfers(1).callbacks(tiers))
    };
    let lied_to = alone(reading());
    let misses = &counts(&lied_to, "team").misses;
    assert_eq!((misses.corrupt, misses.skipped, left(&lied_to).len()), (3, 5, 1));
    team.behaves(Manner::Panics);
    let seen = alone(reading());
    let misses = &counts(&seen, "team").misses;
    assert_eq!((misses.read_errors, misses.skipped), (3, 5));
    assert_eq!(left(&seen), [("team", "it panicked: the spy fell over")]);
}

#[test]
fn an_object_that_drips_is_given_up() {
    let shop = Shop::new();
    let team = Spy::new();
    let project = shop.project([shop.ware("a", "x")]);
    run(&shop, &project, [far("team", &team)]);
    team.behaves(Manner::Drips);
    let mut settings = hasty("team", &team).how().clone();
    settings.pace = u64::MAX;
    let seen = run_afresh(&shop, &project, [far("team", &team).settings(settings.clone())]);
    assert_eq!((seen.of("a"), seen.misses()), ("built".into(), vec![&Miss::TimedOut]));
    (settings.pace, settings.timeout) = (1, Some(Duration::from_secs(30)));
    let seen = run_afresh(&shop, &project, [far("team", &team).settings(settings)]);
    assert_eq!(seen.of("a"), "restored", "a tier that keeps its pace is waited for");
}

#[test]
fn a_tier_that_answers_some_questions_and_not_others_costs_its_budget() {
    let shop = Shop::new();
    let team = Spy::new();
    let (gate, _open) = gate();
    team.behaves(Manner::HangsWhenPut(gate));
    let tier = far("team", &team).timeout(Some(Duration::from_millis(60))).budget(Duration::from_millis(100));
    let tiers = cortado::Tiers::new([tier.breaker(100, Duration::ZERO)]).unwrap();
    let seen = shop.run_with(&wide(&shop, 8), |engine| engine.transfers(1).callbacks(tiers));
    assert!(seen.report.success());
    let counts = counts(&seen, "team");
    assert!(counts.write_errors <= 3 && counts.unwritten >= 5, "{counts:?}");
    assert_eq!(left(&seen).len(), 1);
}

#[test]
fn a_tier_that_answers_again_is_used_again() {
    let shop = Shop::new();
    let team = Spy::new();
    let chain = (0..10).map(|number| {
        let task = shop.ware(&format!("t{number}"), "x");
        if number > 0 { task.depends_on(format!("t{}", number - 1)) } else { task }
    });
    let project = shop.project(chain);
    // It fails twice, which is enough to be left alone, and then recovers. One of the uploads finds out that it is back, and is not waited for.
    team.behaves(Manner::Fails(ErrorKind::ConnectionRefused));
    let recovering = team.clone();
    let tiers = cortado::Tiers::new([far("team", &team).breaker(2, Duration::ZERO)]).unwrap();
    let seen = shop.run_with(&project, |engine| {
        engine.jobs(1).transfers(1).callbacks(tiers).observe(move |event| {
            let builds = matches!(event, cortado::Event::StepStarted { .. });
            if builds && recovering.asked("get") >= 2 {
                recovering.behaves(Manner::Good);
            }
        })
    });
    assert!(seen.report.success());
    let last = seen.report.tasks.last().unwrap();
    assert_eq!(last.offers[0].kept, cortado::Kept::Stored);
    let counts = counts(&seen, "team");
    assert!(counts.misses.refused >= 2 && team.asked("has") >= 1, "{counts:?}");
    assert_eq!(left(&seen).len(), 1);
    adds_up(&seen);
}

#[test]
fn a_tier_bears_as_many_operations_as_it_says() {
    let shop = Shop::new();
    let (most, now) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    struct Busy(Arc<AtomicUsize>, Arc<AtomicUsize>);
    impl Store for Busy {
        fn place(&self) -> String {
            "busy".into()
        }
        fn get(&self, _: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
            self.0.fetch_max(self.1.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            super::moment();
            self.1.fetch_sub(1, Ordering::SeqCst);
            Ok(None)
        }
        fn put(&self, _: &str, _: &mut dyn Read, _: &Put) -> anyhow::Result<Stored> {
            Ok(Stored::New)
        }
        fn has(&self, _: &str) -> anyhow::Result<bool> {
            Ok(false)
        }
        fn remove(&self, _: &str) -> anyhow::Result<bool> {
            Ok(false)
        }
        fn list(&self) -> anyhow::Result<Objects<'_>> {
            Ok(Box::new(std::iter::empty()))
        }
    }
    let tier = Tier::near("busy", Busy(most.clone(), now)).concurrency(2);
    let tiers = cortado::Tiers::new([tier]).unwrap();
    let seen = shop.run_with(&wide(&shop, 12), |engine| engine.jobs(6).callbacks(tiers));
    assert!(seen.report.success());
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[test]
fn a_gate_opens_when_its_story_ends() {
    let gate = Arc::<Gate>::default();
    drop(Opening(gate.clone()));
    gate.pass();
}
