//! One work directory, two builds: the second waits or says who is in its way.

use std::fs;
use std::io::Write;

use cortado::{Cancel, Error, Event, Task, Wait};

use crate::support::Shop;

/// A task that tells through one pipe that it runs and waits at the other.
fn slow(shop: &Shop) -> Task {
    let (running, go) = (shop.path("running"), shop.path("go"));
    shop.ware("a", "x").command(format!("echo > '{}'; read line < '{}'", running.display(), go.display()))
}

#[test]
fn a_second_build_waits_and_then_has_nothing_to_do() {
    let shop = Shop::new();
    let (running, go) = (shop.pipe("running"), shop.pipe("go"));
    let project = shop.project([slow(&shop)]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| shop.run_with(&project, |engine| engine.holder("cortado build")));
        fs::read(running).unwrap();
        let second = shop.run_with(&project, |engine| {
            engine.observe(move |event| {
                if matches!(event, Event::Warning { task: None, .. }) {
                    fs::File::options().write(true).open(&go).unwrap().write_all(b"go\n").unwrap();
                }
            })
        });
        assert_eq!(first.join().unwrap().of("a"), "built");
        assert_eq!(second.of("a"), "up to date");
        let waiting = second.warnings()[0];
        assert!(waiting.contains("which is in use by cortado build (process "), "{waiting}");
        assert!(matches!(second.events[0], Event::RunStarted { .. }));
    });
    assert_eq!(shop.count("a"), 1);
}

#[test]
fn a_second_build_that_will_not_wait_is_told_who_is_in_its_way() {
    let shop = Shop::new();
    let (running, go) = (shop.pipe("running"), shop.pipe("go"));
    let project = shop.project([slow(&shop)]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| shop.run_with(&project, |engine| engine.holder("cortado build")));
        fs::read(running).unwrap();
        let (_, refused) = shop.try_run(&project, |engine| engine.wait(Wait::Fail));
        let Err(Error::Busy { dir, holder }) = refused else { panic!("{refused:?}") };
        assert_eq!(dir, shop.path("work"));
        assert!(holder.starts_with("cortado build (process "), "{holder}");
        let cancel = Cancel::new();
        let impatient = cancel.clone();
        let (events, interrupted) = shop.try_run(&project, |engine| {
            engine.cancel(&cancel).observe(move |event| {
                if matches!(event, Event::Warning { .. }) {
                    impatient.cancel();
                }
            })
        });
        assert!(matches!(interrupted, Err(Error::Interrupted)));
        assert!(matches!(events.last(), Some(Event::RunFinished { success: false, .. })));
        fs::write(go, "go\n").unwrap();
        assert_eq!(first.join().unwrap().of("a"), "built");
    });
}

#[test]
fn many_builds_that_begin_together_build_once() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y").depends_on("a")]);
    std::thread::scope(|scope| {
        let builds: Vec<_> = (0..8).map(|_| scope.spawn(|| shop.run(&project))).collect();
        builds.into_iter().for_each(|build| assert!(build.join().unwrap().report.success()));
    });
    assert_eq!([shop.count("a"), shop.count("b"), shop.objects().len()], [1, 1, 2]);
}
