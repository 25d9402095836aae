//! A cache that misbehaves: whatever callbacks do, the build goes on unless the policy says otherwise, and says so.

use std::fs;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortado::{
    Artifact, CachePolicy, Cacher, Callbacks, Cancel, Error, Event, Miss, Objects, Provenance, Put, Store, Stored,
    Task, closures,
};

use crate::support::{Seen, Shop};

type Fetch = fn(&Cacher) -> anyhow::Result<bool>;
type Update = fn(&Artifact) -> anyhow::Result<bool>;

fn run(shop: &Shop, fetch: Fetch, update: Update, policy: CachePolicy) -> Seen {
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    shop.run_with(&project, |engine| engine.callbacks(closures(fetch, update)).cache_policy(policy))
}

fn garbage(cacher: &Cacher) -> anyhow::Result<bool> {
    cacher.unpack_from(&b"this is not an artifact"[..])
}

#[test]
fn a_fetch_that_fails_costs_an_event_and_a_build() {
    let faults: [(Fetch, Miss); 6] = [
        (|_| Ok(false), Miss::Absent),
        (|_| anyhow::bail!("out of order"), Miss::Failed("out of order".into())),
        (|_| panic!("fetch fell over"), Miss::Failed("it panicked: fetch fell over".into())),
        (|_| Ok(true), Miss::Failed("`fetch` said it hit, but unpacked nothing".into())),
        (garbage, Miss::Corrupt("invalid gzip header".into())),
        (|cacher| garbage(cacher).map(|_| true), Miss::Corrupt("invalid gzip header".into())),
    ];
    for (fetch, miss) in faults {
        let shop = Shop::new();
        let seen = run(&shop, fetch, |_| Ok(true), CachePolicy::Degrade);
        assert_eq!(seen.all(), "a built, b built");
        assert_eq!(seen.misses(), [&miss, &miss]);
        let failures = if miss.is_failure() { 2 } else { 0 };
        assert_eq!(seen.cache(), [0, 2 - failures, failures, 2, 0], "{miss}");
        assert!(seen.warnings().is_empty() && shop.is_tidy());
    }
}

#[test]
fn an_update_that_fails_is_counted_as_failed_and_never_as_stored() {
    let faults: [(Update, Result<bool, String>); 3] = [
        (|_| Ok(false), Ok(false)),
        (|_| anyhow::bail!("disk on fire"), Err("disk on fire".into())),
        (|_| panic!("update fell over"), Err("it panicked: update fell over".into())),
    ];
    for (update, told) in faults {
        let shop = Shop::new();
        let seen = run(&shop, |_| Ok(false), update, CachePolicy::Degrade);
        assert_eq!(seen.all(), "a built, b built");
        assert_eq!(seen.stored(), [&told, &told]);
        let failed = if told.is_err() { 2 } else { 0 };
        assert_eq!(seen.cache(), [0, 2, 0, 0, failed], "{told:?}");
        assert_eq!(seen.report.cache.stored_bytes, 0);
        assert!(shop.is_tidy());
    }
}

/// Callbacks that hang until they are let go.
struct Hanging {
    until: Mutex<Receiver<()>>,
    fetches: bool,
}

impl Hanging {
    fn hang(&self) {
        _ = self.until.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
    }
}

impl Callbacks for Hanging {
    fn fetch(&self, _: &Cacher) -> anyhow::Result<bool> {
        if self.fetches {
            self.hang();
        }
        Ok(false)
    }

    fn update(&self, _: &Artifact) -> anyhow::Result<bool> {
        if !self.fetches {
            self.hang();
        }
        Ok(true)
    }
}

#[test]
fn a_callback_that_hangs_is_left_behind() {
    for fetches in [true, false] {
        let shop = Shop::new();
        let (let_go, until) = channel();
        let limit = Some(Duration::from_secs(1));
        let project = shop.builder().callback_timeout(limit).task(shop.ware("a", "x")).build().unwrap();
        let callbacks = Hanging { until: Mutex::new(until), fetches };
        let seen = shop.run_with(&project, |engine| engine.callbacks(callbacks));
        assert_eq!(seen.of("a"), "built");
        if fetches {
            assert_eq!((seen.misses(), seen.cache()), (vec![&Miss::TimedOut], [0, 0, 1, 1, 0]));
        } else {
            assert_eq!(seen.cache(), [0, 1, 0, 0, 1]);
            assert!(seen.stored()[0].as_ref().unwrap_err().starts_with("no answer within"));
        }
        drop(let_go);
    }
}

#[test]
fn an_interrupted_run_waits_for_no_callback() {
    for fetches in [true, false] {
        let shop = Shop::new();
        let (_keep, until) = channel();
        let cancel = Cancel::new();
        let impatient = cancel.clone();
        let project = shop.builder().callback_timeout(None).task(shop.ware("a", "x")).build().unwrap();
        let callbacks = Hanging { until: Mutex::new(until), fetches };
        let seen = shop.run_with(&project, |engine| {
            let policy = CachePolicy::RequireWrite;
            engine.callbacks(callbacks).cancel(&cancel).cache_policy(policy).observe(move |event| match event {
                Event::Fetching { .. } if fetches => impatient.cancel(),
                Event::StepStarted { step: 2, .. } if !fetches => {
                    // The build itself is let through: only its upload is in the way.
                    let later = impatient.clone();
                    std::thread::spawn(move || {
                        _ = channel::<()>().1.recv_timeout(Duration::from_millis(100));
                        later.cancel();
                    });
                }
                _ => {}
            })
        });
        assert_eq!(seen.of("a"), "cancelled");
        assert_eq!(shop.run(&project).of("a"), "built", "nothing that had to be kept and was not is left");
    }
}

#[test]
fn an_artifact_that_arrives_too_late_is_dropped() {
    let shop = Shop::new();
    let project = shop.builder().callback_timeout(Some(Duration::from_millis(20))).task(shop.ware("a", "x"));
    let project = project.build().unwrap();
    shop.run_tasks([shop.ware("a", "x")]);
    let object = shop.objects().remove(0);
    shop.clean();
    let (let_go, until) = channel::<()>();
    let (tell, told) = channel();
    let until = Mutex::new(until);
    let late = move |cacher: &Cacher| {
        _ = until.lock().unwrap().recv();
        let answer = cacher.unpack(&object);
        tell.send(answer.map_err(|error| error.to_string())).unwrap();
        Ok(true)
    };
    let seen = shop.run_with(&project, |engine| engine.callbacks(closures(late, |_| Ok(true))));
    assert_eq!((seen.of("a"), seen.misses()), ("built".into(), vec![&Miss::TimedOut]));
    drop(let_go);
    assert_eq!(told.recv().unwrap(), Err("the artifact arrived after its time limit".into()));
    assert!(shop.is_tidy(), "what arrived late was removed again");
}

#[test]
fn what_a_callback_unpacked_and_then_disowned_is_removed() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    shop.run(&project);
    let object = shop.objects().remove(0);
    let disowning: [fn(bool) -> anyhow::Result<bool>; 2] = [|_| Ok(false), |_| anyhow::bail!("changed my mind")];
    for answer in disowning {
        shop.clean();
        let object = object.clone();
        let fetch = move |cacher: &Cacher| answer(cacher.unpack(&object)?);
        let seen = shop.run_with(&project, |engine| engine.callbacks(closures(fetch, |_| Ok(true))));
        assert_eq!(seen.of("a"), "built");
        assert!(shop.is_tidy());
    }
    shop.clean();
    let twice = move |cacher: &Cacher| Ok(cacher.unpack(&object)? && cacher.unpack(&object)?);
    let seen = shop.run_with(&project, |engine| engine.callbacks(closures(twice, |_| Ok(true))));
    assert_eq!(seen.of("a"), "restored");
    assert!(shop.is_tidy());
}

#[test]
fn a_policy_makes_cache_trouble_the_end_of_the_run() {
    let broken: Fetch = |_| anyhow::bail!("out of order");
    let refusing: Update = |_| anyhow::bail!("disk on fire");
    for policy in [CachePolicy::RequireRead, CachePolicy::RequireWrite] {
        let seen = run(&Shop::new(), broken, |_| Ok(true), policy);
        assert_eq!(seen.of("b"), "skipped, because `a` did not succeed");
        let Error::Cache { operation, reason, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
        assert_eq!((*operation, &**reason), ("fetch", "the cache failed: out of order"));
    }
    let shop = Shop::new();
    let seen = run(&shop, |_| Ok(false), refusing, CachePolicy::RequireWrite);
    let Error::Cache { operation, reason, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
    assert_eq!((*operation, &**reason), ("update", "disk on fire"));
    let mended = run(&shop, |_| Ok(false), |_| Ok(true), CachePolicy::RequireWrite);
    assert_eq!(mended.all(), "a built, b built", "what had to be kept and was not is offered again");
    assert_eq!(mended.cache(), [0, 2, 0, 2, 0]);
    assert!(run(&Shop::new(), |_| Ok(false), |_| Ok(true), CachePolicy::RequireWrite).report.success());
    assert!(run(&Shop::new(), |_| Ok(false), refusing, CachePolicy::RequireRead).report.success());
}

#[test]
fn a_policy_may_ask_for_warnings() {
    let seen = run(&Shop::new(), |_| anyhow::bail!("slow"), |_| anyhow::bail!("full"), CachePolicy::Warn);
    assert!(seen.report.success());
    let mut warnings = seen.warnings();
    warnings.sort_unstable();
    let (unkept, unread) = ("it could not be cached: full", "the cache failed: slow");
    assert_eq!(warnings, [unkept, unkept, unread, unread]);
}

#[test]
fn what_succeeded_is_uploaded_though_another_task_fails() {
    let shop = Shop::new();
    let pipe = shop.pipe("uploading");
    let (failed, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let told = pipe.clone();
    // The upload begins before the other task fails, and lasts longer than the engine looks away from it.
    let update = move |_: &Artifact| {
        fs::write(&told, "go\n")?;
        _ = wait.lock().unwrap().recv();
        _ = channel::<()>().1.recv_timeout(Duration::from_millis(120));
        Ok(true)
    };
    let bad = Task::new("bad").version("1").command(format!("read line < '{}'; exit 3", pipe.display()));
    let project = shop.project([shop.ware("good", "x"), bad]);
    let mut failed = Some(failed);
    let seen = shop.run_with(&project, |engine| {
        engine.callbacks(closures(|_| Ok(false), update)).observe(move |event| {
            if matches!(event, Event::TaskFinished { task, .. } if &**task == "bad") {
                drop(failed.take());
            }
        })
    });
    assert_eq!(
        seen.all(),
        "good built, bad failed: `read line < '".to_owned()
            + &pipe.display().to_string()
            + "'; exit 3` exited with code 3"
    );
    assert_eq!(seen.cache(), [0, 2, 0, 1, 0]);
}

#[test]
fn two_projects_never_share_callbacks() {
    let counting = |counter: &Arc<AtomicUsize>| {
        let counter = counter.clone();
        closures(
            move |cacher: &Cacher| {
                counter.fetch_add(usize::from(cacher.name() == "a"), Ordering::SeqCst);
                Ok(false)
            },
            |_: &Artifact| Ok(true),
        )
    };
    let shops = [Shop::new(), Shop::new()];
    let counters = [Arc::default(), Arc::default()];
    std::thread::scope(|scope| {
        for (shop, counter) in shops.iter().zip(&counters) {
            let callbacks = counting(counter);
            scope.spawn(move || {
                let project = shop.project([shop.ware("a", "x")]);
                assert!(shop.run_with(&project, |engine| engine.callbacks(callbacks)).report.success());
            });
        }
    });
    assert_eq!(counters.map(|counter: Arc<AtomicUsize>| counter.load(Ordering::SeqCst)), [1, 1]);
}

/// A store whose connection breaks in the middle of every object.
struct Flaky<S>(S, Arc<AtomicUsize>);

impl<S: Store> Store for Flaky<S> {
    fn place(&self) -> String {
        format!("flaky {}", self.0.place())
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer"))
            }
        }
        let object = self.0.get(name)?;
        Ok(object.map(|object| Box::new(object.take(40).chain(Broken)) as Box<dyn Read + Send>))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        self.0.put(name, content, options)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.0.has(name)
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.remove(name)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        self.0.list()
    }
}

#[test]
fn a_broken_connection_is_not_a_broken_artifact() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    shop.run(&project);
    shop.clean();
    let removals = Arc::new(AtomicUsize::new(0));
    let seen = shop.run_with(&project, |engine| engine.store(Flaky(shop.store(), removals.clone())));
    let [Miss::Failed(why)] = seen.misses()[..] else { panic!("{:?}", seen.misses()) };
    assert_eq!(why, "could not read the artifact: connection reset by peer");
    assert_eq!(removals.load(Ordering::SeqCst), 0, "the store keeps its good object");
    assert!(fs::metadata(&shop.objects()[0]).is_ok());
}

#[test]
fn what_a_callback_remarks_is_a_warning_of_its_task() {
    let shop = Shop::new();
    let fetch: Fetch = |cacher| {
        cacher.warn("nobody has it");
        Ok(false)
    };
    let update: Update = |artifact| {
        artifact.warn(format!("{} is heavy", artifact.name()));
        Ok(true)
    };
    let seen = run(&shop, fetch, update, CachePolicy::Degrade);
    let mut warnings = seen.warnings();
    warnings.sort_unstable();
    assert_eq!(warnings, ["a is heavy", "b is heavy", "nobody has it", "nobody has it"]);
}

/// Takes nothing, but keeps what it was told.
struct Choosy(Arc<Mutex<Vec<Put>>>);

impl Store for Choosy {
    fn place(&self) -> String {
        "choosy".into()
    }

    fn get(&self, _: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        Ok(None)
    }

    fn put(&self, _: &str, _: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        self.0.lock().unwrap().push(options.clone());
        Ok(Stored::Declined("too large for a thimble".into()))
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

#[test]
fn a_store_is_told_where_an_artifact_comes_from_and_may_decline_it() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let told = Arc::default();
    let store = Choosy(Arc::clone(&told));
    let by = Provenance::new().writer("ci").host("runner-7").commit("c0ffee");
    let seen = shop.run_with(&project, |engine| engine.store(store).provenance(by.clone()));
    assert_eq!(seen.warnings(), ["choosy did not take the artifact: too large for a thimble"]);
    assert_eq!(seen.cache(), [0, 1, 0, 0, 0], "an artifact that was declined is neither stored nor a failure");
    let told = told.lock().unwrap();
    let [put] = &told[..] else { panic!("{told:?}") };
    assert!(put.size.is_some_and(|size| size > 0) && put.digest.is_some());
    assert!(put.provenance.build_time.is_some());
    let mut provenance = put.provenance.clone();
    provenance.build_time = None;
    assert_eq!(provenance, by.project(project.name()).task("a"));
}
