//! A run that begins with how things stood after the one before, in a program without a recipe.

use std::fs::{self, File};
use std::sync::{Arc, Mutex};

use cortado::{CacheMode, Digest, Engine, Event, Origin, Report, Standing, Task};

use crate::support::Shop;

fn origin(shop: &Shop) -> Origin {
    let mut origin = Origin::new(Digest::of("shop"), Digest::of("version 1"));
    let file = shop.path("recipe/shop.toml");
    origin.files = vec![(file.clone(), Digest::of(fs::read(file).unwrap()))];
    origin.notes = vec!["a note".into()];
    origin
}

/// A shop that was built from a description in a file.
fn built(tasks: impl Fn(&Shop) -> Vec<Task>) -> Shop {
    let shop = Shop::new();
    shop.write("recipe/conf", "text");
    shop.write("recipe/shop.toml", "described");
    let project = shop.project(tasks(&shop));
    let origin = origin(&shop);
    assert!(shop.run_with(&project, |engine| engine.remember(origin)).report.success());
    shop
}

fn standing(shop: &Shop) -> Option<Standing> {
    Standing::read(&shop.path("work"), &Digest::of("shop"), &Digest::of("version 1"))
}

fn rest(shop: &Shop) -> Option<Report> {
    let standing = standing(shop)?;
    Engine::new(standing.project()).rest(&standing)
}

fn wares(shop: &Shop) -> [Task; 2] {
    [shop.ware("zlib", "z"), shop.ware("app", "a").depends_on("zlib").input("conf")]
}

fn full() -> Shop {
    built(|shop| wares(shop).into())
}

#[test]
fn a_rest_tells_and_reports_what_a_run_with_nothing_to_do_does() {
    let shop = full();
    let run = shop.run_with(&shop.project(wares(&shop)), |engine| engine);
    let recorder = Arc::new(Mutex::new(Vec::new()));
    let observe = recorder.clone();
    let kept = standing(&shop).unwrap();
    assert_eq!(kept.notes(), ["a note"]);
    let engine = Engine::new(kept.project()).jobs(2);
    let report = engine.observe(move |event: &Event| observe.lock().unwrap().push(event.clone())).rest(&kept).unwrap();
    let shown = |events: &[Event]| -> Vec<String> {
        let lasts = |event: &&Event| !matches!(event, Event::RunFinished { .. });
        events.iter().filter(lasts).map(|event| format!("{event:?}")).collect()
    };
    assert_eq!(shown(&recorder.lock().unwrap()), shown(&run.events));
    let told = |report: &Report| {
        let task = |task: &cortado::TaskReport| {
            format!("{} {} {} {:?} {:?}", task.name, task.tag, task.shasum, task.outcome, task.saved)
        };
        (report.project.clone(), report.tasks.iter().map(task).collect::<Vec<_>>(), report.cache.clone())
    };
    assert_eq!(told(&report), told(&run.report));
    assert_eq!((shop.count("zlib"), shop.count("app")), (1, 1));
}

#[test]
fn whatever_has_changed_is_no_rest() {
    let changes: [fn(&Shop); 7] = [
        |shop| _ = shop.write("recipe/shop.toml", "otherwise"),
        |shop| _ = shop.write("recipe/conf", "TEXT"),
        |shop| fs::remove_file(shop.installed("share/app")).unwrap(),
        |shop| fs::write(shop.installed("share/app"), "b").unwrap(),
        |shop| fs::remove_file(shop.installed("LICENSE")).unwrap(),
        |shop| fs::remove_file(shop.work("state")).unwrap(),
        |shop| fs::write(shop.work("format"), "cortado work directory 7\n").unwrap(),
    ];
    for change in changes {
        let shop = full();
        assert!(rest(&shop).is_some());
        change(&shop);
        assert!(rest(&shop).is_none());
    }
}

#[test]
fn what_takes_more_than_a_look_is_no_rest() {
    let shop = full();
    let kept = standing(&shop).unwrap();
    let engine = || Engine::new(kept.project());
    assert!(engine().rest(&kept).is_some());
    assert!(engine().only(["zlib"]).rest(&kept).is_none());
    assert!(engine().cache_mode(CacheMode::Recache).rest(&kept).is_none());
    assert!(engine().jobs(0).rest(&kept).is_none());
    let other = File::open(shop.work("lock")).unwrap();
    other.lock().unwrap();
    assert!(engine().rest(&kept).is_none(), "another build is at work");
    other.unlock().unwrap();
    assert!(engine().rest(&kept).is_some());
}

#[test]
fn what_is_owed_to_the_cache_is_no_rest_unless_nothing_is_written() {
    let shop = Shop::new();
    shop.write("recipe/conf", "text");
    shop.write("recipe/shop.toml", "described");
    let run = |keeps: bool| {
        let update = move |_: &cortado::Artifact| if keeps { Ok(true) } else { anyhow::bail!("it is full") };
        let callbacks = cortado::closures(|_| Ok(false), update);
        let project = shop.project(wares(&shop));
        shop.run_with(&project, |engine| engine.callbacks(callbacks).remember(origin(&shop)))
    };
    run(false);
    let kept = standing(&shop).unwrap();
    let modes = [CacheMode::ReadWrite, CacheMode::WriteOnly, CacheMode::ReadOnly, CacheMode::Off];
    let rests = || modes.map(|mode| Engine::new(kept.project()).cache_mode(mode).rest(&kept).is_some());
    assert_eq!(rests(), [false, false, true, true]);
    assert_eq!(run(true).cache(), [0, 0, 0, 2, 0]);
    assert_eq!(rests(), [true; 4]);
}

#[test]
fn a_task_of_a_later_run_is_not_overlooked() {
    let shop = full();
    let more = wares(&shop).into_iter().chain([shop.ware("extra", "x")]);
    assert!(shop.run_with(&shop.project(more), |engine| engine).report.success());
    assert!(rest(&shop).is_none(), "the run after it takes `extra` away");
    assert!(shop.run_with(&shop.project(wares(&shop)), |engine| engine).report.success());
    assert!(!shop.installed("share/extra").exists());
    assert!(rest(&shop).is_some());
}

#[test]
fn a_run_that_fails_or_takes_only_some_tasks_is_not_remembered() {
    let shop = Shop::new();
    shop.write("recipe/shop.toml", "described");
    let tasks = || [shop.ware("zlib", "z"), Task::new("bad").version("1").command("false")];
    let origin = origin(&shop);
    assert!(!shop.run_with(&shop.project(tasks()), |engine| engine.remember(origin.clone())).report.success());
    assert!(standing(&shop).is_none());
    let project = shop.project(tasks());
    assert!(shop.run_with(&project, |engine| engine.remember(origin.clone()).only(["zlib"])).report.success());
    assert!(standing(&shop).is_none());
}

#[test]
fn a_summary_that_is_a_tasks_own_is_not_remembered() {
    let own = || Task::new("own").version("1").command("echo mine > @{stage_install_dir}/LICENSE");
    assert!(standing(&built(|_| vec![own()])).is_none());
}

#[test]
fn many_tasks_are_looked_at_while_they_are_planned_and_the_changed_ones_are_found() {
    let shop = Shop::new();
    let task = |number: usize, text: &str| {
        let line = format!("echo {text} > @{{stage_install_dir}}/t{number}");
        Task::new(format!("t{number}")).version("1").command(line)
    };
    let tasks = |text: &'static str| (0..300).map(move |number| task(number, if number == 7 { text } else { "x" }));
    assert!(shop.run_with(&shop.project(tasks("x")), |engine| engine).report.success());
    fs::write(shop.installed("t42"), "changed").unwrap();
    let run = shop.run_with(&shop.project(tasks("y")), |engine| engine);
    let touched: Vec<_> = run.report.tasks.iter().filter(|task| task.outcome != cortado::Outcome::UpToDate).collect();
    let mut names: Vec<_> = touched.iter().map(|task| task.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["t42", "t7"]);
    assert_eq!(shop.text("install/t42"), "x\n");
    assert_eq!(shop.text("install/t7"), "y\n");
    fs::remove_file(shop.installed("t299")).unwrap();
    let fewer: Vec<Task> = tasks("y").skip(1).collect();
    let run = shop.run_with(&shop.project(fewer), |engine| engine);
    assert!(run.report.success() && shop.installed("t299").exists() && !shop.installed("t0").exists());

    let other_prefix = shop.builder().cache_tag_prefix("").tasks(tasks("y").skip(1)).build().unwrap();
    assert_eq!(shop.run_with(&other_prefix, |engine| engine).report.count(|outcome| outcome.is_success()), 299);
    let idle = shop.run_with(&other_prefix, |engine| engine).report;
    for task in &idle.tasks {
        assert_eq!(
            (&task.outcome, &task.tag),
            (&cortado::Outcome::UpToDate, &format!("{}-{}", task.name, task.shasum))
        );
        assert!(!task.saved.is_zero(), "{}", task.name);
    }
}
