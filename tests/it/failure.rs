//! Failure: what fails stops what depends on it, is told once, leaves no half-made thing, and the next run goes on.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use cortado::{Cancel, Error, Event, Outcome, Project, Task};

use crate::support::{Shop, look};

/// A step that waits for the other end of a pipe.
fn wait(pipe: &std::path::Path) -> String {
    format!("read line < '{}'", pipe.display())
}

#[test]
fn a_failure_keeps_dependants_from_starting_and_stops_the_rest() {
    let shop = Shop::new();
    let pipe = shop.pipe("running");
    let tasks = [
        Task::new("bad").version("1").command(format!("echo go > '{}'", pipe.display())).command("echo oh no; exit 3"),
        shop.ware("child", "x").depends_on("bad"),
        shop.ware("grandchild", "x").depends_on("child"),
        Task::new("long").version("1").command(wait(&pipe)).command("exec sleep 1000"),
        shop.ware("later", "x").depends_on("long"),
    ];
    let seen = shop.run_tasks(tasks);
    assert!(!seen.report.success());
    assert_eq!(seen.of("bad"), "failed: `echo oh no; exit 3` exited with code 3");
    assert_eq!(seen.of("long"), "cancelled");
    for task in ["child", "grandchild", "later"] {
        assert!(seen.of(task).starts_with("skipped"), "{task} {}", seen.of(task));
        assert_eq!(shop.count(task), 0);
    }
    for task in ["bad", "child", "grandchild", "long", "later"] {
        assert_eq!(seen.finished(task), 1, "{task}");
    }
    assert!(!seen.report.interrupted && shop.objects().is_empty());
    assert!(matches!(seen.report.check(), Err(Error::Task { task, .. }) if task == "bad"));
}

#[test]
fn what_does_not_depend_on_a_failure_is_finished_if_that_is_wanted() {
    let shop = Shop::new();
    let bad = || Task::new("bad").version("1");
    let tasks = |bad: Task| {
        [
            bad,
            shop.ware("child", "c").depends_on("bad"),
            shop.ware("good", "g"),
            shop.ware("better", "b").depends_on("good"),
        ]
    };
    let first = shop.project(tasks(bad().command("exit 3")));
    let seen = shop.run_with(&first, |engine| engine.store(shop.store()).keep_going(true).jobs(1));
    assert_eq!((seen.of("good"), seen.of("better")), ("built".into(), "built".into()));
    assert_eq!(seen.of("child"), "skipped, because `bad` did not succeed");
    assert_eq!(shop.objects().len(), 2);
    assert!(!shop.installed("LICENSE").exists(), "no summary after a failure");
    let mended = shop.run_tasks(tasks(bad().command("true")));
    assert_eq!((mended.of("good"), mended.of("child")), ("up to date".into(), "built".into()));
    assert!(shop.installed("LICENSE").exists());
}

#[test]
fn a_failed_task_leaves_its_log_and_source_and_nothing_else() {
    let shop = Shop::new();
    shop.write("recipe/src/main.c", "int main;");
    let bad = Task::new("a").version("1").source(cortado::Source::local("src"));
    let bad = bad.command("echo half > @{stage_install_dir}/half; echo compiling; echo broken >&2; exit 1");
    let seen = shop.run_tasks([bad]);
    let Outcome::Failed { log: Some(log), .. } = &seen.report.tasks[0].outcome else { panic!("{:?}", seen.report) };
    let log = fs::read_to_string(log).unwrap();
    assert!(log.ends_with("compiling\nbroken\n"), "{log}");
    assert_eq!(shop.text("work/src/a/main.c"), "int main;");
    assert_eq!((shop.names("install"), shop.objects().len(), shop.names("work/trees").len()), (vec![], 0, 0));
    assert_eq!(seen.stored().len(), 0);
}

#[test]
fn an_interrupted_run_is_finished_by_the_next_one() {
    let shop = Shop::new();
    let pipe = shop.pipe("running");
    let task = |wait: &str| {
        Task::new("slow").version("1").env([("WAIT", wait)]).command(format!(
        "mkdir -p @{{stage_install_dir}}; echo x > @{{stage_install_dir}}/x; if [ $WAIT = yes ]; then echo go > '{}'; exec sleep 1000; fi",
        pipe.display()
    ))
    };
    let tasks =
        |wait| [shop.ware("first", "1"), task(wait).depends_on("first"), shop.ware("last", "3").depends_on("slow")];
    let cancel = Cancel::new();
    let seen = std::thread::scope(|scope| {
        let project = shop.project(tasks("yes"));
        let (shop, cancel, pipe) = (&shop, &cancel, &pipe);
        let (kept, is_kept) = channel();
        let tell = move |event: &Event| {
            if matches!(event, Event::Stored { .. }) {
                kept.send(()).unwrap();
            }
        };
        let run = scope
            .spawn(move || shop.run_with(&project, |engine| engine.store(shop.store()).cancel(cancel).observe(tell)));
        fs::read(pipe).unwrap();
        is_kept.recv().unwrap();
        cancel.cancel();
        run.join().unwrap()
    });
    assert_eq!(seen.all(), "first built, slow cancelled, last skipped, because the run was cancelled");
    assert!(seen.report.interrupted && matches!(seen.report.check(), Err(Error::Interrupted)));
    assert_eq!((shop.objects().len(), shop.installed("x").exists()), (1, false));
    assert_eq!(shop.run_tasks(tasks("no")).all(), "first up to date, slow built, last built");
}

#[test]
fn a_token_that_is_cancelled_when_all_is_done_interrupts_nothing() {
    let shop = Shop::new();
    let cancel = Cancel::new();
    let late = cancel.clone();
    let project = shop.project([shop.ware("a", "x")]);
    let seen = shop.run_with(&project, |engine| {
        engine.cancel(&cancel).observe(move |event| {
            if matches!(event, Event::TaskFinished { .. }) {
                late.cancel();
            }
        })
    });
    assert!(seen.report.success() && !seen.report.interrupted);
}

#[test]
fn a_graph_that_cannot_be_is_refused_before_anything_is_made() {
    let shop = Shop::new();
    let refused = |tasks: Vec<Task>, set: fn(cortado::Engine<'_>) -> cortado::Engine<'_>| {
        let (events, result) = shop.try_run(&shop.project(tasks), set);
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((shop.path("work").exists(), shop.path("install").exists()), (false, false));
        result.unwrap_err().to_string()
    };
    let task = |name: &str, upstream: &str| shop.ware(name, "x").depends_on(upstream);
    let circle = refused(vec![task("a", "b"), task("b", "c"), task("c", "a")], |engine| engine);
    assert!(circle.starts_with("tasks depend on each other in a circle: "), "{circle}");
    assert_eq!(refused(vec![task("a", "zlob")], |engine| engine), "task `a` names the unknown dependency `zlob`");
    assert_eq!(refused(vec![shop.ware("a", "x")], |engine| engine.only(["b"])), "unknown task `b`");
    assert_eq!(refused(vec![shop.ware("a", "x")], |engine| engine.jobs(0)), "jobs: a run needs at least one worker");
    let slotless = refused(vec![shop.ware("a", "x")], |engine| engine.transfers(0));
    assert_eq!(slotless, "transfers: a run needs at least one transfer slot");
    let twice = shop.builder().tasks([shop.ware("a", "x"), shop.ware("a", "y")]).build();
    assert_eq!(twice.unwrap_err().to_string(), "two tasks are named `a`");
}

#[test]
fn far_too_many_workers_are_no_trouble() {
    let shop = Shop::new();
    let tasks = (0..40).map(|number| Task::new(format!("t{number}")).version("1").emit("hello"));
    let project = shop.project(tasks);
    assert!(shop.run_with(&project, |engine| engine.jobs(1_000_000)).report.success());
}

#[test]
fn events_come_in_order_and_every_observer_sees_the_same() {
    let shop = Shop::new();
    let tasks = [
        shop.ware("a", "x"),
        shop.ware("b", "x").depends_on("a"),
        shop.ware("c", "x").depends_on("a"),
        Task::new("bad").version("1").depends_on("c").command("exit 1"),
        shop.ware("never", "x").depends_on("bad"),
    ];
    let project = shop.project(tasks);
    let second = Arc::new(Mutex::new(Vec::new()));
    let recorder = second.clone();
    let seen = shop.run_with(&project, |engine| {
        engine
            .keep_going(true)
            .observe(|event| assert!(!matches!(event, Event::TaskStarted { .. }), "an observer falls over"))
            .observe(move |event| recorder.lock().unwrap().push(event.clone()))
    });
    assert_eq!(*second.lock().unwrap(), seen.events);
    assert!(matches!(seen.events.first(), Some(Event::RunStarted { tasks: 5, jobs: 2 })));
    assert!(matches!(seen.events.last(), Some(Event::RunFinished { success: false, .. })));
    let at = |wanted: &dyn Fn(&Event) -> bool| seen.events.iter().position(wanted);
    for task in ["a", "b", "c", "bad"] {
        let is = |name: &Arc<str>| **name == *task;
        let ready = at(&|event| matches!(event, Event::Unblocked { tasks, .. } if tasks.iter().any(&is)));
        let started = at(&|event| matches!(event, Event::TaskStarted { task } if is(task)));
        let finished = at(&|event| matches!(event, Event::TaskFinished { task, .. } if is(task)));
        assert!(ready < started && started < finished && ready.is_some(), "{task}: {ready:?} {started:?} {finished:?}");
    }
    assert_eq!(["a", "b", "c", "bad", "never"].map(|task| seen.finished(task)), [1; 5]);
}

#[test]
fn a_run_that_ends_in_an_error_says_so_last() {
    let shop = Shop::new();
    let task = Task::new("a").version("1").input("absent.txt").source(cortado::Source::local("absent"));
    let (events, result) = shop.try_run(&shop.project([task]), |engine| engine);
    assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    assert!(matches!(events.last(), Some(Event::RunFinished { success: false, .. })));
}

#[test]
fn leftovers_among_the_trees_are_looked_for_after_a_run_that_did_not_end_well() {
    let shop = Shop::new();
    let leftover = shop.path("work/trees/unsealed/file");
    assert_eq!(shop.run_tasks([shop.ware("a", "x")]).all(), "a built");
    shop.write("work/trees/unsealed/file", "");
    assert!(!shop.run_tasks([Task::new("a").version("2").command("exit 1")]).report.success());
    assert!(leftover.exists(), "nobody was to look yet");
    assert_eq!(shop.run_tasks([shop.ware("a", "y")]).all(), "a built");
    assert!(!leftover.exists());
}

/// What a child of this test binary runs: the same engine, in another process.
const CHILD: &str = "CORTADO_STORY_ROOM";

fn killed_project(shop: &Shop) -> Project {
    let fatal = format!("if [ -e '{}' ]; then kill -9 $PPID; exit 1; fi", shop.path("kill").display());
    let many = "mkdir -p @{stage_install_dir}/many; cd @{stage_install_dir}/many; for i in 1 2 3 4 5 6 7 8 9; do echo $i > $i; done";
    shop.project([
        shop.ware("a", "x"),
        Task::new("b").version("1").depends_on("a").command(many).command(fatal),
        shop.ware("c", "x").depends_on("b"),
    ])
}

/// Tells a story of this file in a process of its own, which kills itself or is killed.
fn child(story: &str, shop: &Shop) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("failure::{story}")]).env(CHILD, shop.path(""));
    command
}

/// A task that kills its build, once, and goes on writing.
fn obstinate_project(shop: &Shop) -> Project {
    let kill = shop.path("kill");
    let writing = "for i in $(seq 100000); do mkdir -p @{stage_install_dir}; echo > @{stage_install_dir}/late; done";
    let fatal = format!("if rm '{}' 2> /dev/null; then set +e; kill -9 $PPID; {writing}; fi", kill.display());
    shop.project([Task::new("a").version("1").command(fatal).command("echo fine > @{stage_install_dir}/fine")])
}

/// Not a story of its own: the part of the next one that is killed.
#[test]
fn the_part_of_a_build_that_leaves_a_program_running() {
    let Some(room) = std::env::var_os(CHILD) else { return };
    let shop = Shop::at(room);
    shop.run(&obstinate_project(&shop));
}

#[test]
fn what_a_killed_build_has_left_running_is_ended_before_the_next_one_builds() {
    let shop = Shop::new();
    shop.write("kill", "");
    let killed =
        child("the_part_of_a_build_that_leaves_a_program_running", &shop).stdout(Stdio::null()).status().unwrap();
    assert_eq!(killed.signal(), Some(9));
    let seen = shop.run(&obstinate_project(&shop));
    assert_eq!(seen.warnings(), ["ended the programs that a killed build had left running"]);
    assert_eq!((seen.all(), shop.names("install")), ("a built".into(), vec!["LICENSE".into(), "fine".into()]));
    assert!(shop.is_tidy());
}

/// At which event a child kills itself.
const FATAL: &str = "CORTADO_STORY_EVENT";

/// Not a story of its own: the part of the next one that is killed at some event. Passes at once when it is run for itself.
#[test]
fn the_part_of_a_build_that_is_killed_at_an_event() {
    let Some(room) = std::env::var_os(CHILD) else { return };
    let shop = Shop::at(room);
    let fatal: usize = std::env::var(FATAL).unwrap().parse().unwrap();
    let mut count = 0;
    shop.run_with(&killed_project(&shop), |engine| {
        engine.jobs(1).store(shop.store()).observe(move |_| {
            if count == fatal {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
            }
            count += 1;
        })
    });
}

#[test]
fn a_build_killed_at_any_event_is_healed_by_the_next_one() {
    let shop = Shop::new();
    let project = killed_project(&shop);
    let events = shop.run_with(&project, |engine| engine.jobs(1).store(shop.store())).events.len();
    let clean = look(&shop.path("install"));
    for fatal in 0..events {
        shop.clean();
        // Every other time the cache is empty, so that there is something to be killed at.
        if fatal % 2 == 0 {
            crate::support::remove(&shop.path("cache"));
        }
        let child = child("the_part_of_a_build_that_is_killed_at_an_event", &shop)
            .env(FATAL, fatal.to_string())
            .output()
            .unwrap();
        assert!(child.status.signal() == Some(9) || child.status.success(), "{fatal}: {child:?}");
        assert!(fatal % 2 == 1 || child.status.signal() == Some(9), "{fatal}: {child:?}");
        let healed = shop.run(&project);
        assert!(healed.report.success(), "{fatal}: {}", healed.all());
        assert_eq!(look(&shop.path("install")), clean, "{fatal}");
        assert_eq!(shop.run(&project).all(), "a up to date, b up to date, c up to date");
        assert!(shop.is_tidy());
    }
}

#[test]
fn a_run_with_nothing_to_do_sweeps_what_a_killed_one_has_left() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    shop.run(&project);
    for left in ["work/unfinished", "work/.tmp-1a2b3c", "work/standing/.tmp-1a2b3c"] {
        shop.write(left, "");
    }
    assert_eq!(shop.run(&project).all(), "a up to date");
    assert!(shop.is_tidy() && !shop.work("unfinished").exists());
}

/// Not a story of its own: the part of the next one that is killed. Passes at once when it is run for itself.
#[test]
fn the_part_of_a_build_that_is_killed() {
    let Some(room) = std::env::var_os(CHILD) else { return };
    let shop = Shop::at(room);
    shop.run(&killed_project(&shop));
}

#[test]
fn a_killed_build_is_healed_by_the_next_one() {
    let shop = Shop::new();
    let project = killed_project(&shop);
    shop.run(&project);
    let clean = look(&shop.path("install"));
    shop.clean();
    crate::support::remove(&shop.path("cache"));
    shop.write("kill", "");
    let child = child("the_part_of_a_build_that_is_killed", &shop).output().unwrap();
    assert_eq!(child.status.signal(), Some(9), "{child:?}");
    fs::remove_file(shop.path("kill")).unwrap();
    assert_eq!(shop.run(&project).all(), "a up to date, b built, c built");
    assert_eq!(look(&shop.path("install")), clean);
    assert!(shop.is_tidy());
    shop.clean();
    // Whether `a` was kept before the kill is open, since uploads go on behind the build: if not, it is owed.
    assert_eq!(shop.run(&project).all(), "a restored, b restored, c restored");
    assert_eq!(look(&shop.path("install")), clean);
}

#[test]
fn a_damaged_state_costs_a_warning_and_no_file() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x"), shop.ware("b", "y")]);
    shop.run(&project);
    let product = look(&shop.path("install"));
    let state = fs::read(shop.work("state")).unwrap();
    fs::write(shop.work("state"), &state[..state.len() - 3]).unwrap();
    let cut = shop.run(&project);
    assert!(cut.report.success() && cut.warnings()[0].contains("was damaged"), "{:?}", cut.warnings());
    fs::write(shop.work("state"), "nonsense").unwrap();
    let lost = shop.run(&project);
    assert_eq!(lost.all(), "a installed, b installed", "from their trees, over files that are right already");
    assert_eq!((look(&shop.path("install")), shop.count("a")), (product, 1));
}
