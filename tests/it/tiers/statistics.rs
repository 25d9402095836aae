//! Statistics: what is told is what happened, it adds up, and it outlives the run.

use std::io::ErrorKind;
use std::time::Duration;

use cortado::{Counts, Event, Ledger, Project, Tiers};

use super::{Manner, Spy, adds_up, counts, far, left, near};
use crate::support::{Seen, Shop};

fn run(shop: &Shop, project: &Project, tiers: Tiers) -> Seen {
    shop.clean();
    let ledger = Ledger::new(shop.path("numbers"));
    let seen = shop.run_with(project, |engine| engine.jobs(1).callbacks(tiers).ledger(ledger));
    adds_up(&seen);
    seen
}

#[test]
fn hits_misses_failed_writes_and_corruptions_are_told_as_they_were_and_kept() {
    let shop = Shop::new();
    let [local, team] = [Spy::new(), Spy::new()];
    let project = shop.project(["a", "b", "c", "d"].map(|name| shop.ware(name, "x")));
    let tiers = || Tiers::new([near("local", &local), far("team", &team)]).unwrap();
    run(&shop, &project, tiers());
    // One of the four is corrupt in the near tier, another one is nowhere, and the far tier keeps nothing more.
    let names: Vec<_> = local.objects.lock().unwrap().keys().cloned().collect();
    local.objects.lock().unwrap().get_mut(&names[0]).unwrap().0.truncate(30);
    local.objects.lock().unwrap().remove(&names[1]);
    team.objects.lock().unwrap().remove(&names[1]);
    team.behaves(Manner::FailsWhenPut(ErrorKind::StorageFull));
    let seen = run(&shop, &project, tiers());
    assert_eq!(seen.all(), "a restored, b built, c restored, d restored");
    let near = counts(&seen, "local");
    assert_eq!((near.requests, near.hits, near.misses.corrupt, near.misses.absent, near.removed), (4, 2, 1, 1, 1));
    assert_eq!((near.offers, near.writes, near.fills), (2, 2, 1));
    let far = counts(&seen, "team");
    assert_eq!((far.requests, far.hits, far.misses.absent), (2, 1, 1));
    assert_eq!((far.offers, far.writes, far.write_errors, far.bytes_written), (1, 0, 1, 0));
    assert!(near.saved > Duration::ZERO && far.saved > Duration::ZERO && far.reading > Duration::ZERO);
    let sizes: u64 = local.contents().iter().map(|content| content.len() as u64).sum();
    assert!(near.bytes_read + far.bytes_read < sizes, "only what was asked for was read");
    let kept = Ledger::new(shop.path("numbers")).read().unwrap();
    let mut first = kept.tiers["local"].clone();
    assert_eq!((kept.runs, first.requests, first.hits, first.writes), (2, 8, 2, 6));
    assert_eq!(kept.tasks.keys().collect::<Vec<_>>(), ["shop/a", "shop/b", "shop/c", "shop/d"]);
    let mut tasks = Counts::default();
    kept.tasks.values().for_each(|counts| tasks.add(counts));
    first.add(&kept.tiers["team"]);
    // Seconds are rounded on their way through the file.
    let whole = |counts: &Counts| {
        let mut counts = counts.clone();
        (counts.reading, counts.writing, counts.saved) = Default::default();
        counts
    };
    assert_eq!(whole(&tasks), whole(&first), "the sum over the tasks is the sum over the tiers");
}

#[test]
fn a_run_that_asks_nobody_keeps_no_numbers() {
    let shop = Shop::new();
    let spy = Spy::new();
    let project = shop.project([shop.ware("a", "x")]);
    run(&shop, &project, Tiers::new([near("local", &spy)]).unwrap());
    let ledger = Ledger::new(shop.path("numbers"));
    let before = ledger.read().unwrap();
    let again = shop.run_with(&project, |engine| {
        engine.callbacks(Tiers::new([near("local", &spy)]).unwrap()).ledger(ledger.clone())
    });
    assert_eq!(again.of("a"), "up to date");
    assert_eq!(ledger.read().unwrap(), before);
}

#[test]
fn a_ledger_that_cannot_be_written_is_a_warning() {
    let shop = Shop::new();
    shop.write("numbers", "not a directory");
    let spy = Spy::new();
    let seen = run(&shop, &shop.project([shop.ware("a", "x")]), Tiers::new([near("local", &spy)]).unwrap());
    assert!(seen.report.success());
    let [warning] = seen.warnings()[..] else { panic!("{:?}", seen.warnings()) };
    assert!(warning.starts_with("the statistics are not kept: "), "{warning}");
}

#[test]
fn callbacks_without_tiers_are_counted_as_one() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let first = shop.run(&project);
    shop.clean();
    let second = shop.run(&project);
    let size = std::fs::metadata(&shop.objects()[0]).unwrap().len();
    let (built, restored) = (counts(&first, "cache"), counts(&second, "cache"));
    assert_eq!((built.misses.absent, built.writes, built.bytes_written), (1, 1, size));
    assert_eq!((restored.hits, restored.bytes_read, restored.offers), (1, size, 0));
    let hit = second.events.iter().any(|event| matches!(event, Event::Fetched { tier, .. } if &**tier == "cache"));
    assert!(hit);
}

#[test]
fn the_summary_says_once_that_a_tier_was_left_alone() {
    let shop = Shop::new();
    let team = Spy::new();
    team.behaves(Manner::Fails(ErrorKind::ConnectionRefused));
    let project = shop.project(["a", "b", "c", "d"].map(|name| shop.ware(name, "x")));
    let seen = run(&shop, &project, Tiers::new([far("team", &team)]).unwrap());
    assert_eq!(left(&seen), [("team", "connection refused")]);
    let text = cortado::summary(&seen.report, cortado::Paint::Never);
    assert!(text.ends_with("; `team` was left alone: connection refused\n"), "{text}");
    assert_eq!(text.matches("left alone").count(), 1);
}
