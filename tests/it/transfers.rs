//! Transfers: a remote that is slow, or hangs, costs nobody a core; what was built is kept behind the build's back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use cortado::{
    Artifact, CacheMode, CachePolicy, Cacher, Callbacks, Cancel, Event, Exit, Miss, Outcome, Project, Source, Store,
    Task, closures,
};

use crate::support::{Seen, Shop, look};

/// A gate that somebody waits at until somebody else has opened it.
struct Gate {
    opener: Mutex<Option<Sender<()>>>,
    waiter: Mutex<Receiver<()>>,
}

impl Gate {
    fn new() -> Arc<Self> {
        let (opener, waiter) = channel();
        Arc::new(Self { opener: Mutex::new(Some(opener)), waiter: Mutex::new(waiter) })
    }

    fn open(&self) {
        drop(self.opener.lock().unwrap().take());
    }

    fn pass(&self) {
        _ = self.waiter.lock().unwrap().recv();
    }
}

/// Where an event stands among those that a run has shown.
fn at(seen: &Seen, wanted: impl Fn(&Event) -> bool) -> usize {
    seen.events.iter().position(wanted).unwrap_or_else(|| panic!("{:?}", seen.events))
}

fn started(task: &str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::TaskStarted { task: name } if **name == *task)
}

fn finished(task: &str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::TaskFinished { task: name, .. } if **name == *task)
}

fn stored(task: &str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Stored { task: name, .. } if **name == *task)
}

/// Opens a gate at an event.
fn opens<W: Fn(&Event) -> bool>(gate: &Arc<Gate>, when: W) -> impl FnMut(&Event) + use<W> {
    let gate = gate.clone();
    move |event| {
        if when(event) {
            gate.open();
        }
    }
}

/// A project in which a call that is not answered at all is told from one that is answered late.
fn patient(shop: &Shop, tasks: impl IntoIterator<Item = Task>) -> Project {
    shop.builder().callback_timeout(Some(Duration::from_secs(20))).tasks(tasks).build().unwrap()
}

#[test]
fn a_slow_answer_does_not_keep_the_only_worker_from_building() {
    let shop = Shop::new();
    let gate = Gate::new();
    let project =
        patient(&shop, [shop.ware("far", "f"), shop.ware("near", "n"), shop.ware("last", "l").depends_on("far")]);
    let slow = gate.clone();
    let fetch = move |cacher: &Cacher| {
        if cacher.name() == "far" {
            slow.pass();
        }
        Ok(false)
    };
    let seen = shop.run_with(&project, |engine| {
        engine.jobs(1).callbacks(closures(fetch, |_| Ok(true))).observe(opens(&gate, finished("near")))
    });
    assert_eq!(seen.all(), "far built, near built, last built");
    assert_eq!(seen.cache(), [0, 3, 0, 3, 0]);
    assert!(at(&seen, finished("near")) < at(&seen, started("far")));
}

#[cfg(feature = "http")]
#[test]
fn a_slow_download_does_not_keep_the_only_worker_from_building() {
    let shop = Shop::new();
    let gate = Gate::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/data.bin", server.local_addr().unwrap());
    let sha256 = cortado::Digest::of("data").to_string();
    let far = Task::new("far")
        .version("1")
        .source(Source::url(url).sha256(sha256))
        .command("cp data.bin @{stage_install_dir}/");
    let project = shop.project([far, shop.ware("near", "n")]);
    let seen = std::thread::scope(|scope| {
        let slow = gate.clone();
        scope.spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            _ = stream.read(&mut [0; 4096]).unwrap();
            slow.pass();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndata").unwrap();
        });
        shop.run_with(&project, |engine| engine.jobs(1).observe(opens(&gate, finished("near"))))
    });
    assert_eq!((seen.all(), shop.text("install/data.bin")), ("far built, near built".into(), "data".into()));
    assert!(at(&seen, finished("near")) < at(&seen, started("far")));
}

/// Callbacks of which so many are always called at once, as far as that can be waited for, and never more.
struct Crowd<S> {
    store: S,
    together: Barrier,
    now: AtomicUsize,
    most: Arc<AtomicUsize>,
}

impl<S: Store> Crowd<S> {
    fn within<T>(&self, call: impl FnOnce() -> T) -> T {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let answer = call();
        self.now.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

impl<S: Store> Callbacks for Crowd<S> {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        self.within(|| {
            self.together.wait();
            self.store.fetch(cacher)
        })
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        self.within(|| self.store.update(artifact))
    }
}

#[test]
fn as_many_calls_are_under_way_as_there_are_slots_and_never_more() {
    for (jobs, width) in [(1, 1), (1, 8), (2, 2), (8, 1), (8, 4)] {
        let shop = Shop::new();
        let tasks = (0..16).map(|number| shop.ware(&format!("t{number:02}"), "x"));
        let project = patient(&shop, tasks);
        let most = Arc::new(AtomicUsize::new(0));
        let crowd =
            Crowd { store: shop.store(), together: Barrier::new(width), now: AtomicUsize::new(0), most: most.clone() };
        let seen = shop.run_with(&project, |engine| engine.jobs(jobs).transfers(width).callbacks(crowd));
        assert_eq!(seen.cache(), [0, 16, 0, 16, 0], "{jobs} jobs, {width} transfers");
        assert_eq!(most.load(Ordering::SeqCst), width, "{jobs} jobs, {width} transfers");
    }
}

#[test]
fn a_chain_is_fetched_at_once_and_installed_in_its_order() {
    let shop = Shop::new();
    let link = |number: usize| {
        let task = shop.ware(&format!("t{number}"), "x");
        if number > 0 { task.depends_on(format!("t{}", number - 1)) } else { task }
    };
    let project = patient(&shop, (0..6).map(link));
    assert!(shop.run(&project).report.success());
    let built = look(&shop.path("install"));
    shop.clean();
    let crowd =
        Crowd { store: shop.store(), together: Barrier::new(6), now: AtomicUsize::new(0), most: Arc::default() };
    let seen = shop.run_with(&project, |engine| engine.jobs(1).transfers(6).callbacks(crowd));
    assert_eq!(seen.cache(), [6, 0, 0, 0, 0]);
    assert!(seen.report.tasks.iter().all(|task| task.outcome == Outcome::Restored));
    let order = (0..6).map(|number| at(&seen, finished(&format!("t{number}"))));
    assert!(order.is_sorted());
    assert_eq!(look(&shop.path("install")), built);
}

#[test]
fn an_upload_goes_on_while_the_next_task_is_built() {
    let shop = Shop::new();
    let gate = Gate::new();
    let project = patient(&shop, [shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    let slow = gate.clone();
    let update = move |artifact: &Artifact| {
        if artifact.name() == "a" {
            slow.pass();
        }
        Ok(true)
    };
    let seen = shop.run_with(&project, |engine| {
        engine.jobs(1).callbacks(closures(|_| Ok(false), update)).observe(opens(&gate, finished("b")))
    });
    assert_eq!((seen.all(), seen.cache()), ("a built, b built".into(), [0, 2, 0, 2, 0]));
    assert!(at(&seen, finished("b")) < at(&seen, stored("a")));
}

/// What was told of the drain: how many artifacts were left, and when one was kept or not.
fn drain(seen: &Seen) -> Vec<String> {
    let told = seen.events.iter().filter_map(|event| match event {
        Event::Draining { artifacts, .. } => Some(format!("{artifacts} left")),
        Event::Stored { result, .. } => Some(format!("{result:?}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_run_waits_at_its_end_for_what_is_still_to_be_kept_and_says_so() {
    let shop = Shop::new();
    let gate = Gate::new();
    let project = patient(&shop, [shop.ware("a", "x"), shop.ware("b", "y")]);
    let slow = gate.clone();
    let update = move |_: &Artifact| {
        slow.pass();
        Ok(true)
    };
    let draining = |event: &Event| matches!(event, Event::Draining { artifacts: 2, bytes } if *bytes > 100);
    let seen = shop.run_with(&project, |engine| {
        // Two slots may both have told of their artifact before the first of them says what is left.
        engine.transfers(1).callbacks(closures(|_| Ok(false), update)).observe(opens(&gate, draining))
    });
    assert_eq!(drain(&seen), ["2 left", "Ok(true)", "1 left", "Ok(true)"]);
    let first = at(&seen, draining);
    assert!(first > at(&seen, finished("a")) && first > at(&seen, finished("b")));
    assert!(matches!(seen.events.last(), Some(Event::RunFinished { success: true, .. })));
    assert!(shop.is_tidy());
}

#[test]
fn whoever_interrupts_the_drain_is_not_told_that_all_was_kept() {
    let shop = Shop::new();
    let (gate, cancel) = (Gate::new(), Cancel::new());
    let project = shop.builder().callback_timeout(None).tasks([shop.ware("a", "x"), shop.ware("b", "y")]);
    let project = project.build().unwrap();
    let (hung, impatient) = (gate.clone(), cancel.clone());
    let update = move |_: &Artifact| {
        hung.pass();
        Ok(true)
    };
    let seen = shop.run_with(&project, |engine| {
        let engine = engine.transfers(1).callbacks(closures(|_| Ok(false), update)).cancel(&cancel);
        engine.observe(move |event| {
            if matches!(event, Event::Draining { .. }) {
                impatient.cancel();
            }
        })
    });
    let not = "Err(\"the run was interrupted\")";
    assert_eq!(drain(&seen), ["2 left", not, "1 left", not]);
    assert_eq!((seen.all(), seen.cache()), ("a built, b built".into(), [0, 2, 0, 0, 2]));
    assert!(seen.report.interrupted && !seen.report.success());
    assert_eq!(Exit::of_report(&seen.report), Exit::Interrupted);
    assert!(shop.is_tidy(), "no packed file is left, though a callback still holds one");
    assert!(shop.installed("LICENSE").exists(), "the product is complete");
    gate.open();
    assert_eq!(shop.run(&project).all(), "a up to date, b up to date");
}

#[test]
fn an_upload_that_fails_late_fails_nothing_that_was_built() {
    for policy in [CachePolicy::Degrade, CachePolicy::Warn, CachePolicy::RequireRead] {
        let shop = Shop::new();
        let gate = Gate::new();
        let project = patient(&shop, [shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
        let slow = gate.clone();
        let update = move |artifact: &Artifact| {
            anyhow::ensure!(artifact.name() != "a", {
                slow.pass();
                "disk on fire"
            });
            Ok(true)
        };
        let seen = shop.run_with(&project, |engine| {
            let engine = engine.callbacks(closures(|_| Ok(false), update)).cache_policy(policy);
            engine.observe(opens(&gate, finished("b")))
        });
        assert!(seen.report.success(), "{policy:?}");
        assert_eq!((seen.all(), seen.cache()), ("a built, b built".into(), [0, 2, 0, 1, 1]));
        let warnings: &[&str] =
            if policy == CachePolicy::Warn { &["it could not be cached: disk on fire"] } else { &[] };
        assert_eq!(seen.warnings(), warnings, "{policy:?}");
    }
}

#[test]
fn what_has_to_be_kept_holds_up_its_dependants_and_no_worker() {
    let shop = Shop::new();
    let gate = Gate::new();
    let project = patient(&shop, [shop.ware("a", "x"), shop.ware("b", "y").depends_on("a"), shop.ware("other", "z")]);
    let slow = gate.clone();
    let update = move |artifact: &Artifact| {
        if artifact.name() == "a" {
            slow.pass();
        }
        Ok(true)
    };
    let seen = shop.run_with(&project, |engine| {
        let engine = engine.jobs(1).callbacks(closures(|_| Ok(false), update)).cache_policy(CachePolicy::RequireWrite);
        engine.observe(opens(&gate, |event| matches!(event, Event::StepStarted { task, .. } if &**task == "other")))
    });
    assert_eq!((seen.all(), seen.cache()), ("a built, b built, other built".into(), [0, 3, 0, 3, 0]));
    assert!(at(&seen, stored("a")) < at(&seen, finished("a")), "kept first");
    assert!(at(&seen, finished("a")) < at(&seen, started("b")));
}

#[test]
fn a_call_that_hangs_gives_its_slot_back() {
    for fetches in [true, false] {
        let shop = Shop::new();
        let gate = Gate::new();
        let limit = Some(Duration::from_secs(1));
        let tasks = [shop.ware("a", "x"), shop.ware("b", "y"), shop.ware("c", "z")];
        let project = shop.builder().callback_timeout(limit).tasks(tasks).build().unwrap();
        let (fetch_gate, update_gate) = (gate.clone(), gate.clone());
        let fetch = move |cacher: &Cacher| {
            if fetches && cacher.name() == "a" {
                fetch_gate.pass();
            }
            Ok(false)
        };
        let update = move |artifact: &Artifact| {
            if !fetches && artifact.name() == "a" {
                update_gate.pass();
            }
            Ok(true)
        };
        let seen = shop.run_with(&project, |engine| engine.transfers(1).callbacks(closures(fetch, update)));
        assert_eq!(seen.all(), "a built, b built, c built");
        assert_eq!(seen.cache(), if fetches { [0, 2, 1, 3, 0] } else { [0, 3, 0, 2, 1] });
        assert!(shop.is_tidy(), "what was given up is removed");
        gate.open();
    }
}

#[test]
fn nobody_waits_for_a_fetch_that_nobody_needs_any_more() {
    let shop = Shop::new();
    let gate = Gate::new();
    let pipe = shop.pipe("asked");
    let bad = Task::new("bad").version("1").command(format!("read line < '{}'; exit 3", pipe.display()));
    let tasks = [bad, shop.ware("child", "x").depends_on("bad")];
    let project = shop.builder().callback_timeout(None).tasks(tasks).build().unwrap();
    let hung = gate.clone();
    let fetch = move |cacher: &Cacher| {
        if cacher.name() == "child" {
            fs::write(&pipe, "go\n")?;
            hung.pass();
        }
        Ok(false)
    };
    let seen = shop.run_with(&project, |engine| engine.keep_going(true).callbacks(closures(fetch, |_| Ok(true))));
    assert_eq!(seen.of("child"), "skipped, because `bad` did not succeed");
    assert_eq!((seen.finished("bad"), seen.finished("child")), (1, 1));
    assert!(!seen.report.interrupted);
    gate.open();
}

#[test]
fn an_artifact_that_was_fetched_for_nothing_is_used_by_the_next_run() {
    let shop = Shop::new();
    let pipe = shop.pipe("fetched");
    let tasks = |step: String| {
        let head = Task::new("head").version("1").cache(false).command(step);
        [head, shop.ware("tail", "x").depends_on("head")]
    };
    let wait = format!("if [ -e '{0}' ]; then read line < '{0}'; exit 3; fi", pipe.display());
    let project = shop.project(tasks(wait));
    fs::rename(&pipe, shop.path("aside")).unwrap();
    assert!(shop.run(&project).report.success());
    fs::rename(shop.path("aside"), &pipe).unwrap();
    shop.clean();
    let fetched = Gate::new();
    let failed = std::thread::scope(|scope| {
        scope.spawn(|| {
            fetched.pass();
            fs::write(&pipe, "go\n").unwrap();
        });
        let here = |event: &Event| matches!(event, Event::Fetched { .. });
        shop.run_with(&project, |engine| engine.store(shop.store()).observe(opens(&fetched, here)))
    });
    assert_eq!(failed.of("tail"), "skipped, because `head` did not succeed");
    assert!(!shop.installed("share/tail").exists(), "nothing is installed before its upstreams");
    fs::remove_file(&pipe).unwrap();
    let mended = shop.run(&project);
    assert_eq!((mended.of("tail"), mended.cache()), ("installed".into(), [0; 5]));
}

#[test]
fn any_number_of_threads_gives_the_same_product_and_the_same_count() {
    let mut products = Vec::new();
    for (jobs, width) in [(1, 1), (1, 8), (2, 2), (8, 1), (8, 8)] {
        let shop = Shop::new();
        let layered = |number: usize| {
            let task = shop.ware(&format!("t{number:02}"), "x");
            (0..number % 4).fold(task, |task, back| task.depends_on(format!("t{:02}", number - 1 - back)))
        };
        let project = shop.project((0..32).map(layered));
        let run = || shop.run_with(&project, |engine| engine.jobs(jobs).transfers(width).store(shop.store()));
        assert_eq!(run().cache(), [0, 32, 0, 32, 0], "{jobs} jobs, {width} transfers");
        shop.clean();
        let seen = run();
        assert_eq!(seen.cache(), [32, 0, 0, 0, 0], "{jobs} jobs, {width} transfers");
        for task in &seen.report.tasks {
            let of = |wanted: fn(&Event) -> Option<&Arc<str>>| {
                let mine = |event: &&Event| wanted(event).is_some_and(|name| **name == *task.name);
                seen.events.iter().filter(mine).count()
            };
            let fetching = of(|event| if let Event::Fetching { task, .. } = event { Some(task) } else { None });
            let fetched = of(|event| if let Event::Fetched { task, .. } = event { Some(task) } else { None });
            assert_eq!((fetching, fetched, seen.finished(&task.name)), (1, 1, 1), "{}", task.name);
        }
        assert!(shop.is_tidy());
        products.push(look(&shop.path("install")));
    }
    assert!(products.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_fetch_that_must_not_fail_fails_its_task_in_its_turn() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    let broken = |cacher: &Cacher| {
        anyhow::ensure!(cacher.name() != "b", "out of order");
        Ok(false)
    };
    let seen = shop.run_with(&project, |engine| {
        engine.callbacks(closures(broken, |_| Ok(true))).cache_policy(CachePolicy::RequireRead)
    });
    assert_eq!((seen.of("a"), seen.cache()), ("built".into(), [0, 1, 1, 1, 0]));
    assert_eq!(seen.misses().iter().filter(|miss| **miss == &Miss::Failed("out of order".into())).count(), 1);
    assert!(at(&seen, started("b")) < at(&seen, finished("b")) && at(&seen, finished("a")) < at(&seen, started("b")));
    assert!(matches!(seen.error("b"), cortado::Error::Cache { operation: "fetch", .. }));
}

#[test]
fn without_reading_nothing_is_asked_for_and_all_is_kept() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    let deaf = |_: &Cacher| panic!("asked");
    let seen = shop.run_with(&project, |engine| {
        engine.jobs(1).transfers(1).callbacks(closures(deaf, |_| Ok(true))).cache_mode(CacheMode::WriteOnly)
    });
    assert_eq!((seen.all(), seen.cache()), ("a built, b built".into(), [0, 0, 0, 2, 0]));
}
