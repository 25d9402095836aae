//! Tasks without a cache: they install directly, and what they did is looked after all the same.

use std::fs;
use std::sync::Mutex;

use cortado::{Artifact, Cacher, Env, Task, closures};

use crate::support::{Shop, look};

/// A task that installs one file directly and counts how often it runs.
fn direct(shop: &Shop, name: &str, content: &str) -> Task {
    Task::new(name)
        .version("1")
        .cache(false)
        .command(shop.counting(name))
        .command(format!("mkdir -p @{{install_dir}}/direct; printf %s '{content}' > @{{install_dir}}/direct/{name}"))
}

#[test]
fn a_project_without_a_cache_installs_directly_and_asks_nobody() {
    let shop = Shop::new();
    let print = Task::new("a").version("1").command(
        "echo \"destdir=${DESTDIR-unset} stage=@{stage_dir}\"; [ @{stage_install_dir} = @{install_dir} ]
         mkdir -p @{install_dir}/bin; echo x > @{install_dir}/bin/x",
    );
    let project = shop.builder().cache(false).task(print).task(shop.ware("b", "x").depends_on("a")).build().unwrap();
    let asked = |_: &Cacher| -> anyhow::Result<bool> { panic!("fetch was called") };
    let offered = |_: &Artifact| -> anyhow::Result<bool> { panic!("update was called") };
    let seen = shop.run_with(&project, |engine| engine.callbacks(closures(asked, offered)));
    assert_eq!((seen.all(), seen.cache()), ("a built, b built".into(), [0; 5]));
    assert_eq!(seen.output("a"), ["destdir=unset stage="]);
    assert_eq!((shop.text("install/bin/x"), shop.text("install/share/b")), ("x\n".into(), "x".into()));
    assert_eq!((shop.names("work/stage").len(), shop.names("work/trees").len()), (0, 0));
    let again = shop.run_with(&project, |engine| engine.callbacks(closures(asked, offered)));
    assert_eq!(again.all(), "a up to date, b up to date");
}

#[test]
fn a_task_may_be_left_out_of_the_cache_and_still_counts_downstream() {
    let shop = Shop::new();
    let tasks = |content: &str| [direct(&shop, "a", content), shop.ware("b", "x").depends_on("a")];
    let first = shop.run_tasks(tasks("one"));
    assert_eq!((first.all(), first.cache()), ("a built, b built".into(), [0, 1, 0, 1, 0]));
    let second = shop.run_tasks(tasks("two"));
    assert_eq!(second.all(), "a built, b built");
    assert_ne!(first.tag("b"), second.tag("b"));
    shop.clean();
    let third = shop.run_tasks(tasks("two"));
    assert_eq!(third.all(), "a built, b restored");
}

#[test]
fn what_a_direct_task_installed_is_looked_after() {
    let shop = Shop::new();
    let project = shop.project([direct(&shop, "a", "x"), shop.ware("b", "y")]);
    shop.run(&project);
    assert_eq!(shop.run(&project).all(), "a up to date, b up to date");
    fs::write(shop.installed("direct/a"), "edited").unwrap();
    assert_eq!(shop.run(&project).of("a"), "built");
    assert_eq!(shop.run(&project).of("a"), "up to date");
    fs::remove_file(shop.installed("direct/a")).unwrap();
    assert_eq!(shop.run(&project).of("a"), "built");
    assert_eq!((shop.count("a"), shop.count("b"), shop.text("install/direct/a")), (3, 1, "x".into()));
}

#[test]
fn a_direct_task_that_fails_is_not_up_to_date_the_next_time() {
    let shop = Shop::new();
    let broken = shop.write("broken", "");
    let task = direct(&shop, "a", "x").command(format!("[ ! -e '{}' ]", broken.display()));
    let project = shop.project([task]);
    assert!(shop.run(&project).of("a").starts_with("failed"));
    assert!(shop.run(&project).of("a").starts_with("failed"));
    fs::remove_file(broken).unwrap();
    assert_eq!((shop.run(&project).of("a"), shop.run(&project).of("a")), ("built".into(), "up to date".into()));
}

#[test]
fn a_task_that_becomes_direct_takes_its_staged_files_along() {
    let shop = Shop::new();
    let task = || shop.ware("a", "x").command("echo old > @{stage_install_dir}/share/old");
    shop.run_tasks([task()]);
    let seen = shop.run_tasks([shop.ware("a", "x").cache(false)]);
    assert_eq!(seen.of("a"), "built");
    assert_eq!(shop.names("install/share"), ["a"]);
}

#[test]
fn a_task_that_becomes_staged_may_replace_what_it_made_directly() {
    let shop = Shop::new();
    shop.run_tasks([shop.ware("a", "one").cache(false)]);
    let staged = shop.run_tasks([shop.ware("a", "two")]);
    assert_eq!(staged.of("a"), "built");
    assert_eq!(shop.text("install/share/a"), "two");
}

#[test]
fn what_a_direct_task_makes_of_other_tasks_files_stays() {
    let shop = Shop::new();
    let finish = |word: &str| {
        Task::new("finish").version("1").cache(false).depends_on("a").command(shop.counting("finish")).command(format!(
            "printf {word} >> @{{install_dir}}/share/a; rm @{{install_dir}}/share/junk; chmod 700 @{{install_dir}}/share/mode"
        ))
    };
    let made = "cd @{stage_install_dir}/share; touch junk mode kept";
    let tasks = |word: &str| [shop.ware("a", "base-").command(made), finish(word)];
    shop.run_tasks(tasks("one"));
    let product = look(&shop.path("install"));
    assert_eq!((shop.text("install/share/a"), shop.installed("share/junk").exists()), ("base-one".into(), false));
    assert_eq!(shop.run_tasks(tasks("one")).all(), "a up to date, finish up to date");
    assert_eq!(look(&shop.path("install")), product);
    // Another finish begins with what the first task made, not with what the old finish left of it.
    let other = shop.run_tasks(tasks("two"));
    assert_eq!(other.of("finish"), "built");
    assert_eq!((shop.text("install/share/a"), shop.installed("share/junk").exists()), ("base-two".into(), false));
    assert_eq!(shop.run_tasks(tasks("two")).all(), "a up to date, finish up to date");
    // What is damaged is made whole by both.
    fs::remove_file(shop.installed("share/kept")).unwrap();
    shop.run_tasks(tasks("two"));
    assert_eq!((shop.text("install/share/a"), shop.installed("share/junk").exists()), ("base-two".into(), false));
    assert_eq!(shop.run_tasks(tasks("two")).all(), "a up to date, finish up to date");
    assert!(shop.count("a") <= 2, "at most one rebuild, of a tree that was edited in place");
}

#[test]
fn a_task_with_nothing_to_do_owns_nothing() {
    let shop = Shop::new();
    let all = Task::new("all").virtual_task(true);
    let project = shop.builder().cache(false).tasks([all, direct(&shop, "a", "x")]).build().unwrap();
    shop.run(&project);
    fs::remove_file(shop.installed("direct/a")).unwrap();
    assert_eq!(shop.run(&project).all(), "all up to date, a built");
}

#[test]
fn steps_see_a_clean_environment_and_what_was_declared() {
    let shop = Shop::new();
    let task = Task::new("a").version("1").cache(false).pass_env("EDITOR").env([("CC", "clang")]).command("env | sort");
    let project =
        shop.builder().pass_env("TOKEN").env(Env::new().set("A", "@{install_dir}/a")).task(task).build().unwrap();
    let ambient = |token: &str| {
        [("EDITOR", "vi"), ("TOKEN", token), ("LD_PRELOAD", "x")].map(|(name, value)| (name.into(), value.into()))
    };
    let seen = shop.run_with(&project, |engine| engine.environment(ambient("t")));
    let names: Vec<_> = seen.output("a").into_iter().map(|line| line.split_once('=').unwrap().0).collect();
    let wanted = [
        "A",
        "CC",
        "EDITOR",
        "HOME",
        "LC_ALL",
        "MAKEFLAGS",
        "PATH",
        "PWD",
        "SOURCE_DATE_EPOCH",
        "TMPDIR",
        "TOKEN",
        "TZ",
    ];
    assert_eq!(names, wanted);
    assert!(seen.output("a").contains(&&*format!("A={}", shop.installed("a").display())));
    let other = shop.run_with(&project, |engine| engine.environment(ambient("another")));
    assert_eq!((other.tag("a"), other.of("a")), (seen.tag("a"), "up to date".into()));
}

#[test]
fn direct_tasks_of_one_run_do_not_wake_each_other() {
    let shop = Shop::new();
    let order = Mutex::new(Vec::new());
    let tasks = ["a", "b", "c", "d"].map(|name| direct(&shop, name, name));
    let project = shop.project(tasks);
    for _ in 0..3 {
        order.lock().unwrap().push(shop.run(&project).all());
    }
    let up_to_date = "a up to date, b up to date, c up to date, d up to date";
    assert_eq!(order.into_inner().unwrap(), ["a built, b built, c built, d built", up_to_date, up_to_date]);
}

#[test]
fn direct_tasks_that_ran_side_by_side_rest_when_one_of_them_runs_again() {
    let shop = Shop::new();
    let tasks = |content: &str| [direct(&shop, "a", content), direct(&shop, "b", "x"), direct(&shop, "c", "x")];
    shop.run_tasks(tasks("one"));
    for content in ["two", "three"] {
        assert_eq!(shop.run_tasks(tasks(content)).all(), "a built, b up to date, c up to date");
        assert_eq!(shop.run_tasks(tasks(content)).all(), "a up to date, b up to date, c up to date", "{content}");
    }
    fs::remove_file(shop.installed("direct/b")).unwrap();
    assert_eq!(shop.run_tasks(tasks("three")).of("b"), "built");
    assert_eq!(shop.run_tasks(tasks("three")).all(), "a up to date, b up to date, c up to date");
}

#[test]
fn a_work_directory_below_the_install_directory_belongs_to_no_task() {
    let shop = Shop::new();
    let inside =
        || shop.builder().work_dir(shop.installed(".work")).tasks([direct(&shop, "a", "x"), shop.ware("b", "y")]);
    let project = inside().build().unwrap();
    assert_eq!(shop.run(&project).all(), "a built, b built");
    assert_eq!(shop.run(&project).all(), "a up to date, b up to date");
}
