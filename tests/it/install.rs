//! Installing: the product holds what the tasks of today have made, and nothing else.

use std::fs;

use cortado::{Error, Event, Task};

use crate::support::{Shop, look, remove};

/// A task that installs files, each with its own path as content.
fn files(name: &str, version: &str, paths: &[&str]) -> Task {
    let lines = paths.iter().map(|path| {
        format!(
            "mkdir -p \"$(dirname @{{stage_install_dir}}/{path})\"; printf {path} > @{{stage_install_dir}}/{path}\n"
        )
    });
    Task::new(name).version(version).command(lines.collect::<String>() + "true")
}

/// A step that writes down what is installed when it runs.
fn listing(shop: &Shop, name: &str) -> String {
    format!("cd @{{install_dir}} 2>/dev/null && find . -type f | sort > '{}' || true", shop.path(name).display())
}

#[test]
fn a_new_version_leaves_nothing_of_the_old_one() {
    let shop = Shop::new();
    let first = shop.run_tasks([files("a", "1", &["bin/a", "old/deep/x"])]);
    assert_eq!(first.of("a"), "built");
    assert_eq!(shop.run_tasks([files("a", "2", &["bin/b"])]).of("a"), "built");
    assert_eq!(
        (shop.names("install"), shop.names("install/bin")),
        (vec!["LICENSE".into(), "bin".into()], vec!["b".into()])
    );
    // The artifact of the second version holds nothing of the first either.
    shop.clean();
    assert_eq!(shop.run_tasks([files("a", "2", &["bin/b"])]).of("a"), "restored");
    assert_eq!(
        (shop.names("install"), shop.names("install/bin")),
        (vec!["LICENSE".into(), "bin".into()], vec!["b".into()])
    );
}

#[test]
fn a_build_sees_nothing_that_a_clean_one_would_not() {
    let shop = Shop::new();
    let chain = |version: &str, base: &str| {
        [
            files("base", version, &[base]).command(listing(&shop, "seen-by-base")),
            files("middle", "1", &["middle"]).depends_on("base").command(listing(&shop, "seen-by-middle")),
            files("top", "1", &["top"]).depends_on("middle").command(listing(&shop, "seen-by-top")),
            files("apart", "1", &["apart"]),
        ]
    };
    shop.run_with(&shop.project(chain("1", "old")), |engine| engine.jobs(1));
    let again = shop.run_with(&shop.project(chain("2", "new")), |engine| engine.jobs(1));
    assert_eq!(again.of("apart"), "up to date");
    assert_eq!(shop.text("seen-by-base"), "./LICENSE\n./apart\n");
    assert_eq!(shop.text("seen-by-middle"), "./LICENSE\n./apart\n./new\n");
    assert_eq!(shop.text("seen-by-top"), "./LICENSE\n./apart\n./middle\n./new\n");
}

#[test]
fn what_leaves_the_project_leaves_the_product() {
    let shop = Shop::new();
    shop.run_tasks([files("a", "1", &["a/x"]), files("b", "1", &["b/x", "a/y"])]);
    let seen = shop.run_tasks([files("a", "1", &["a/x"])]);
    assert_eq!(seen.all(), "a up to date");
    assert_eq!(
        (shop.names("install"), shop.names("install/a")),
        (vec!["LICENSE".into(), "a".into()], vec!["x".into()])
    );
    assert!(!shop.text("install/LICENSE").contains("bundles b "));
}

#[test]
fn a_filter_leaves_other_tasks_alone() {
    let shop = Shop::new();
    let tasks = |version: &str| {
        [files("a", version, &["a"]), files("b", version, &["b"]).depends_on("a"), files("c", version, &["c"])]
    };
    shop.run_tasks(tasks("1"));
    let before = look(&shop.installed("b"));
    let some = shop.run_with(&shop.project(tasks("2")), |engine| engine.store(shop.store()).only(["a"]));
    assert_eq!(some.all(), "a built");
    assert_eq!(
        (shop.text("install/b"), shop.text("install/c"), look(&shop.installed("b"))),
        ("b".into(), "c".into(), before)
    );
    assert_eq!(shop.run_tasks(tasks("2")).all(), "a up to date, b built, c built");
}

#[test]
fn products_in_two_places_share_a_work_directory_and_leave_each_other_alone() {
    let shop = Shop::new();
    let project = |place: &str| shop.builder().install_dir(shop.path(place)).task(shop.ware("a", "x")).build().unwrap();
    let (here, there) = (project("install"), project("elsewhere"));
    shop.run(&here);
    assert_eq!(shop.run(&there).of("a"), "built");
    assert_eq!((shop.text("install/share/a"), shop.text("elsewhere/share/a")), ("x".into(), "x".into()));
    assert_eq!((shop.run(&here).of("a"), shop.run(&there).of("a")), ("up to date".into(), "up to date".into()));
}

#[test]
fn a_file_may_move_from_one_task_to_another() {
    let shop = Shop::new();
    shop.run_tasks([files("a", "1", &["tool"]), files("b", "1", &["other"])]);
    let moved = shop.run_tasks([files("a", "2", &["elsewhere"]), files("b", "2", &["tool", "other"])]);
    assert!(moved.report.success(), "{}", moved.all());
    assert_eq!(shop.names("install"), ["LICENSE", "elsewhere", "other", "tool"]);
}

#[test]
fn two_tasks_that_disagree_about_a_file_are_both_named() {
    let shop = Shop::new();
    let tasks = || [shop.ware("a", "one"), shop.ware("b", "x").command("echo two > @{stage_install_dir}/share/a")];
    let [a, b] = tasks();
    let seen = shop.run_with(&shop.project([a, b.depends_on("a")]), |engine| engine);
    let Error::Conflict { path, first, second } = seen.error("b") else { panic!("{:?}", seen.error("b")) };
    assert_eq!((path, &**first, &**second), (&shop.installed("share/a"), "a", "b"));
    assert!(seen.error("b").hint().unwrap().contains("`overrides` naming `a`"));
    assert_eq!(shop.text("install/share/a"), "one");
    let [a, b] = tasks();
    let tasks = [a, b.depends_on("a").overrides("a")];
    let seen = shop.run_with(&shop.project(tasks.clone()), |engine| engine);
    assert_eq!(seen.all(), "a up to date, b installed");
    assert_eq!(shop.text("install/share/a"), "two\n");
    assert_eq!(shop.run_with(&shop.project(tasks), |engine| engine).all(), "a up to date, b up to date");
}

#[test]
fn what_someone_removes_or_changes_is_put_back() {
    let shop = Shop::new();
    let project = shop.project([files("a", "1", &["x/y", "z"])]);
    shop.run(&project);
    let whole = look(&shop.path("install"));
    remove(&shop.installed("x"));
    assert_eq!(shop.run(&project).of("a"), "installed");
    fs::remove_file(shop.installed("z")).unwrap();
    fs::create_dir(shop.installed("z")).unwrap();
    let refused = shop.run(&project);
    assert!(matches!(refused.error("a"), Error::Unowned { .. }), "{}", refused.all());
    fs::remove_dir(shop.installed("z")).unwrap();
    assert_eq!(shop.run(&project).of("a"), "installed");
    assert_eq!(look(&shop.path("install")), whole);
}

#[test]
fn files_of_nobody_are_not_replaced_unless_that_is_allowed() {
    let shop = Shop::new();
    shop.write("install/share/a", "precious");
    let project = shop.project([shop.ware("a", "x")]);
    let seen = shop.run(&project);
    let Error::Unowned { path, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
    assert_eq!(path, &shop.installed("share/a"));
    assert_eq!((shop.text("install/share/a"), shop.objects().len()), ("precious".into(), 0));
    let allowed = shop.run_with(&project, |engine| engine.replace_unowned(true));
    assert_eq!((allowed.of("a"), shop.text("install/share/a")), ("installed".into(), "x".into()));
}

#[test]
fn what_is_staged_outside_is_refused_and_not_kept() {
    let shop = Shop::new();
    let outside = Task::new("a").version("1").command("mkdir -p $DESTDIR/etc; echo x > $DESTDIR/etc/cortado-test");
    let seen = shop.run_tasks([outside]);
    let Error::Outside { path, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
    assert_eq!(path.to_str(), Some("/etc/cortado-test"));
    assert_eq!(shop.objects().len(), 0);
}

#[test]
fn an_install_directory_that_cannot_be_made_is_found_before_anything_is_built() {
    let shop = Shop::new();
    shop.write("file", "in the way");
    let project = shop.builder().install_dir(shop.path("file/install")).task(shop.ware("a", "x")).build().unwrap();
    let seen = shop.run(&project);
    let Error::Io { path, .. } = seen.error("a") else { panic!("{:?}", seen.error("a")) };
    assert_eq!((path, shop.count("a")), (&shop.path("file/install"), 0));
}

#[test]
fn a_work_directory_of_someone_else_is_refused_untouched() {
    let shop = Shop::new();
    shop.write("work/thesis.tex", "years of work");
    let (events, result) = shop.try_run(&shop.project([shop.ware("a", "x")]), |engine| engine);
    assert!(matches!(result, Err(Error::Foreign { .. })));
    assert!(matches!(events[..], [Event::RunStarted { .. }, Event::RunFinished { success: false, .. }]), "{events:?}");
    assert_eq!((shop.names("work"), shop.path("install").exists()), (vec!["thesis.tex".into()], false));
    let shop = Shop::new();
    shop.write("file", "in the way");
    let project = shop.builder().work_dir(shop.path("file/work")).task(shop.ware("a", "x")).build().unwrap();
    assert!(matches!(shop.try_run(&project, |engine| engine).1, Err(Error::Io { .. })));
}

#[test]
fn an_extra_file_outside_the_install_directory_may_be_allowed() {
    let shop = Shop::new();
    let outside = shop.path("etc/shop.conf");
    let task = |version: &str| {
        let line = format!("mkdir -p $DESTDIR{0}; echo {version} > $DESTDIR{0}/shop.conf", shop.path("etc").display());
        Task::new("a").version(version).command(line)
    };
    let project =
        |version: &str| shop.builder().extra_file(outside.display().to_string()).task(task(version)).build().unwrap();
    assert_eq!(shop.run(&project("1")).of("a"), "built");
    assert_eq!(shop.text("etc/shop.conf"), "1\n");
    assert_eq!(shop.run(&project("2")).of("a"), "built");
    assert_eq!(shop.text("etc/shop.conf"), "2\n");
    let gone = shop.builder().extra_file(outside.display().to_string()).build().unwrap();
    shop.run(&gone);
    assert!(!outside.exists());
}

/// A task that has a script put into its stage.
fn staged(name: &str, version: &str, script: &str) -> Task {
    Task::new(name).version(version).command(format!("cd @{{stage_install_dir}}\n{script}"))
}

#[test]
fn a_file_that_overrode_another_goes_and_the_other_is_back_at_once() {
    let shop = Shop::new();
    let base = || staged("base", "1", "echo base > f");
    let over = |version: &str, script: &str| staged("over", version, script).overrides("base");
    shop.run_tasks([base(), over("1", "echo over > f")]);
    assert_eq!(shop.text("install/f"), "over\n");
    let seen = shop.run_tasks([base(), over("2", "true")]);
    assert_eq!((seen.all().as_str(), shop.text("install/f").as_str()), ("base installed, over built", "base\n"));
    assert_eq!(shop.run_tasks([base(), over("2", "true")]).all(), "base up to date, over up to date");
}

#[test]
fn a_task_that_may_override_no_longer_is_in_conflict_at_once() {
    let shop = Shop::new();
    let tasks = || (staged("base", "1", "echo base > f"), staged("over", "1", "echo over > f"));
    let (base, over) = tasks();
    shop.run_tasks([base, over.overrides("base")]);
    let (base, over) = tasks();
    let seen = shop.run_tasks([base, over]);
    assert!(seen.all().contains("both install"), "{}", seen.all());
}

#[test]
fn a_file_taken_from_a_task_that_stays_as_it_was_after_all_is_a_conflict() {
    let shop = Shop::new();
    let a = || staged("a", "1", "echo a > f");
    shop.run_tasks([a(), staged("b", "1", "true")]);
    // `a` is on its way to another tag and never gets there, while `b` takes its file.
    let taken = shop.project([staged("c", "1", "exit 1"), a().depends_on("c"), staged("b", "2", "echo b > f")]);
    shop.run_with(&taken, |engine| engine.store(shop.store()).keep_going(true));
    assert_eq!(shop.text("install/f"), "b\n");
    let seen = shop.run_tasks([a(), staged("b", "2", "echo b > f")]);
    assert!(seen.all().contains("both install"), "{}", seen.all());
}

#[test]
fn a_directory_that_several_tasks_leave_gives_way_to_a_symlink() {
    let shop = Shop::new();
    let apart = || {
        let b = staged("b", "1", "mkdir lib64; echo b > lib64/b");
        [staged("a", "1", "mkdir lib64; echo a > lib64/a"), b.depends_on("a")]
    };
    let merged = || {
        let b = staged("b", "2", "mkdir lib; echo b > lib/b");
        [staged("a", "2", "mkdir lib; echo a > lib/a; ln -s lib lib64"), b.depends_on("a")]
    };
    shop.run_tasks(apart());
    shop.run_tasks(merged());
    // From now on nothing is built, so that nothing is cleared away for a build.
    for _ in 0..2 {
        assert!(shop.run_tasks(apart()).report.success());
        let seen = shop.run_tasks(merged());
        assert_eq!(seen.all(), "a installed, b installed");
        assert_eq!((shop.text("install/lib64/a"), shop.text("install/lib64/b")), ("a\n".into(), "b\n".into()));
    }
}

#[test]
fn files_bear_the_date_of_today_whatever_was_there() {
    use std::os::unix::fs::MetadataExt;
    let shop = Shop::new();
    let tasks =
        || [staged("a", "1", "echo x > x; echo both > both; ln -s x link"), staged("b", "1", "echo both > both")];
    let run = |epoch: u64| shop.run(&shop.builder().source_date_epoch(epoch).tasks(tasks()).build().unwrap());
    let dates =
        || ["x", "both", "link", "LICENSE"].map(|name| shop.installed(name).symlink_metadata().unwrap().mtime());
    run(0);
    run(1000);
    assert_eq!((run(0).all().as_str(), dates()), ("a installed, b installed", [0; 4]));
    assert_eq!((run(1000).all().as_str(), dates()), ("a installed, b installed", [1000; 4]));
    let file = fs::File::options().write(true).open(shop.installed("both")).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    assert!(run(1000).report.success());
    assert_eq!((dates(), run(1000).all().as_str()), ([1000; 4], "a up to date, b up to date"));
}

#[test]
fn files_of_several_names_are_joined_as_they_were_built() {
    use std::os::unix::fs::MetadataExt;
    let shop = Shop::new();
    let project = |script: &str| {
        let project = shop.builder().link_mode(cortado::LinkMode::Copy);
        project.task(staged("a", "1", script)).build().unwrap()
    };
    let joined = || {
        let inode = |name: &str| shop.installed(name).metadata().unwrap().ino();
        inode("one") == inode("two")
    };
    let (apart, together) = (project("echo x > one; echo x > two"), project("echo x > one; ln one two"));
    for _ in 0..2 {
        shop.run(&apart);
        assert!(!joined());
        shop.run(&together);
        assert!(joined());
    }
    fs::remove_file(shop.installed("one")).unwrap();
    shop.run(&together);
    assert!(joined());
}

#[test]
fn a_directory_overrides_a_file_whichever_comes_first() {
    for is_file_first in [true, false] {
        let shop = Shop::new();
        let (file, dir) = (staged("file", "1", "echo file > p"), staged("dir", "1", "mkdir p; echo dir > p/x"));
        let (file, dir) = match is_file_first {
            true => (file, dir.depends_on("file")),
            false => (file.depends_on("dir"), dir),
        };
        let seen = shop.run_tasks([file.clone(), dir.overrides("file")]);
        assert!(seen.report.success(), "{}", seen.all());
        assert_eq!(shop.text("install/p/x"), "dir\n");
        let dir = staged("dir", "2", "true").overrides("file");
        let dir = if is_file_first { dir.depends_on("file") } else { dir };
        shop.run_tasks([file, dir]);
        assert_eq!(shop.text("install/p"), "file\n", "what is given up comes back");
    }
}

#[test]
fn a_directory_that_moves_from_one_task_to_another_gets_its_new_mode() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::new();
    let before = || [staged("a", "1", "mkdir p; chmod 755 p; echo a > p/a"), staged("b", "1", "true")];
    let after = || {
        let b = staged("b", "2", "mkdir p; echo b > p/b; chmod 555 p");
        [staged("a", "2", "true").depends_on("b"), b]
    };
    shop.run_tasks(before());
    for _ in 0..2 {
        shop.run_tasks(after());
        let mode = shop.installed("p").metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode, shop.names("install/p")), (0o555, vec!["b".to_owned()]));
        assert!(shop.run_tasks(before()).report.success());
    }
}

#[test]
fn a_directory_that_tasks_share_has_what_one_of_them_allows_whoever_comes_first() {
    use std::os::unix::fs::PermissionsExt;
    for is_narrow_first in [true, false] {
        let shop = Shop::new();
        let narrow = staged("narrow", "1", "mkdir -p p/q; echo n > p/q/n; chmod 2700 p/q; chmod 750 p");
        let wide = staged("wide", "1", "mkdir -p p/q; echo w > p/q/w; chmod 755 p/q; chmod 705 p");
        let (narrow, wide) = match is_narrow_first {
            true => (narrow, wide.depends_on("narrow")),
            false => (narrow.depends_on("wide"), wide),
        };
        let modes = || ["p", "p/q"].map(|dir| shop.installed(dir).metadata().unwrap().permissions().mode() & 0o7777);
        shop.run_tasks([narrow.clone(), wide.clone()]);
        assert_eq!(modes(), [0o755, 0o2755]);
        // From trees, and from the cache.
        for place in ["install", "work"] {
            remove(&shop.path("install"));
            remove(&shop.path(place));
            shop.run_tasks([narrow.clone(), wide.clone()]);
            assert_eq!(modes(), [0o755, 0o2755], "{place}");
        }
        shop.run_tasks([staged("narrow", "1", "mkdir -p p/q; echo n > p/q/n; chmod 2700 p/q; chmod 750 p")]);
        assert_eq!(modes(), [0o750, 0o2700], "what only the other allowed went with it");
    }
}
