//! Steps: every kind of command, with names and texts that mean nothing but themselves.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cortado::command::{Bin, Copy, Link, Mkdir, Patch, Shell, Sync, Template};
use cortado::{Block, Env, Error, Source, Task};

use crate::support::{Seen, Shop, look};

/// Names that a shell would make something else of.
fn odd_names() -> Vec<PathBuf> {
    let names: [&[u8]; 10] =
        [b"a b", b"$(x)", b"`y`", b"a;b", b"new\nline", b"-rf", b"quote'\"", b"not-utf8-\xff", b"back\\slash", b"~"];
    names.map(|name| PathBuf::from(OsStr::from_bytes(name))).to_vec()
}

fn task() -> Task {
    Task::new("a").version("1")
}

/// Runs one task without a cache.
fn run(shop: &Shop, task: Task) -> Seen {
    let project = shop.project([task]);
    shop.run_with(&project, |engine| engine)
}

fn error(task: Task) -> Error {
    let shop = Shop::new();
    let mut seen = run(&shop, task);
    match *seen.report.tasks[0].error.take().unwrap() {
        Error::Task { source, .. } => *source,
        other => other,
    }
}

#[test]
fn names_are_literal_in_every_step() {
    let shop = Shop::new();
    let stage = Path::new("@{stage_install_dir}");
    let mut task = task().source(Source::local("src"));
    for name in odd_names() {
        fs::create_dir_all(shop.path("recipe/src/tree").join(&name)).unwrap();
        fs::write(shop.path("recipe/src/tree").join(&name).join(&name), name.as_os_str().as_bytes()).unwrap();
        let under = |dir: &str| stage.join(dir).join(&name);
        task = task
            .step(Copy::new(Path::new("tree").join(&name), under("copied")))
            .step(Sync::new(Path::new("tree").join(&name), under("synced")))
            .step(Link::new(&name, under("linked")))
            .step(Mkdir::new(under("made")))
            .step(Template::text("{{ x }}", under("rendered")).variable("x", "y"));
    }
    let seen = run(&shop, task);
    assert!(seen.report.success(), "{}", seen.all());
    for name in odd_names() {
        let installed = |dir: &str| shop.installed(dir).join(&name);
        for dir in ["copied", "synced"] {
            assert_eq!(fs::read(installed(dir).join(&name)).unwrap(), name.as_os_str().as_bytes(), "{dir} {name:?}");
        }
        assert_eq!(fs::read_link(installed("linked")).unwrap(), name);
        assert!(installed("made").is_dir() && fs::read(installed("rendered")).unwrap() == b"y", "{name:?}");
    }
}

#[test]
fn a_patch_changes_files_of_any_name() {
    let shop = Shop::new();
    shop.write("recipe/src/a b $(x).c", "old\n");
    let diff = "--- \"a/a b $(x).c\"\n+++ \"b/a b $(x).c\"\n@@ -1 +1 @@\n-old\n+new\n";
    let task = task().source(Source::local("src")).step(Patch::text(diff)).copy("a b $(x).c", "@{stage_install_dir}/x");
    let seen = run(&shop, task);
    assert_eq!((seen.all(), shop.text("install/x")), ("a built".into(), "new\n".into()));
    assert_eq!(seen.output("a"), ["patched a b $(x).c"]);
}

#[test]
fn a_patch_that_does_not_apply_names_file_and_hunk() {
    let diff = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-one\n+1\n@@ -9 +9 @@\n-nine\n+9\n";
    let error = error(task().command("echo one > x.c").step(Patch::text(diff)));
    let Error::Patch { patch, file, hunk, .. } = &error else { panic!("{error}") };
    assert_eq!((&**patch, &**file, *hunk), ("inline", "x.c", 2));
    let missing = self::error(task().step(Patch::text(diff)));
    assert!(matches!(&missing, Error::Patch { file, hunk: 0, .. } if file == "x.c"), "{missing}");
}

#[test]
fn a_template_is_strict_and_names_its_line() {
    let shop = Shop::new();
    shop.write("recipe/conf.in", "prefix={{ prefix }}\nport={{ port }}\n");
    let template = |dest: &str| Template::file("conf.in", dest).variable("prefix", "@{install_dir}");
    let rendered = task().step(template("@{stage_install_dir}/conf").variable("port", 80).mode(0o600));
    run(&shop, rendered);
    assert_eq!(shop.text("install/conf"), format!("prefix={}\nport=80\n", shop.path("install").display()));
    assert_eq!(fs::metadata(shop.installed("conf")).unwrap().permissions().mode() & 0o7777, 0o600);
    let seen = run(&shop, task().step(template("@{stage_install_dir}/conf")));
    let Error::Template { template, reason } = seen.error("a") else { panic!("{}", seen.all()) };
    assert!(template == "conf.in" && reason.starts_with("line 2: undefined"), "{reason}");
}

#[test]
fn a_sync_asks_and_leaves_alone_what_is_excluded() {
    let shop = Shop::new();
    for name in ["a", "b", "x.tmp"] {
        shop.write(format!("recipe/src/from/{name}"), "new");
    }
    let sync = Sync::new("from", "@{stage_install_dir}")
        .exclude("*.tmp")
        .decide("keep b", |_, target| Ok(!target.ends_with("b")));
    let prepare = "cd @{stage_install_dir}; for name in a b y.tmp stale; do echo old > $name; done";
    let seen = run(&shop, task().source(Source::local("src")).command(prepare).step(sync));
    assert!(seen.report.success(), "{}", seen.all());
    assert_eq!(shop.names("install"), ["LICENSE", "a", "b", "y.tmp"]);
    assert_eq!([shop.text("install/a"), shop.text("install/b")], ["new", "old\n"]);
}

#[test]
fn a_bin_is_found_in_the_product_and_gets_its_words_as_they_are() {
    let shop = Shop::new();
    let tool = "mkdir -p @{stage_install_dir}/bin; printf '#!/bin/sh\nfor word; do echo \"<$word>\"; done\n' > @{stage_install_dir}/bin/tool; chmod 755 @{stage_install_dir}/bin/tool";
    let bin = Bin::new("tool").args(["a b", "$(x)", ";", "", "new\nline", "@{install_dir}"]);
    let user = Task::new("b").version("1").depends_on("a").step(bin);
    let project = shop.project([task().command(tool), user]);
    let seen = shop.run_with(&project, |engine| engine);
    let install_dir = format!("<{}>", shop.path("install").display());
    assert_eq!(seen.output("b"), ["<a b>", "<$(x)>", "<;>", "<>", "<new", "line>", &install_dir]);
    let error = error(task().step(Bin::new("absent")));
    assert!(error.to_string().starts_with("bin absent: there is no such program in `bin`"), "{error}");
}

#[test]
fn an_emit_says_what_it_says() {
    let seen = run(&Shop::new(), task().emit("$(x) `y` ; @{unknown}\nsecond"));
    assert_eq!(seen.output("a"), ["$(x) `y` ; @{unknown}", "second"]);
}

#[test]
fn a_hundred_thousand_lines_arrive_in_order_at_a_slow_observer() {
    let shop = Shop::new();
    let project = shop.project([task().command("seq 100000; printf 'the last one has no newline'")]);
    let mut next = 0_u64;
    let seen = shop.run_with(&project, |engine| {
        engine.observe(move |event| {
            // Slower than `seq` by far.
            next = (0..100).fold(next, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
            std::hint::black_box((event, next));
        })
    });
    let output = seen.output("a");
    assert_eq!((output.len(), output.last()), (100_001, Some(&"the last one has no newline")));
    assert!(output.iter().take(100_000).zip(1_u32..).all(|(line, number)| *line == number.to_string()));
    let log = fs::read_to_string(shop.work("logs/a.log")).unwrap();
    assert_eq!(log.lines().count(), 100_002, "all lines and the title of the step");
}

#[test]
fn a_program_that_is_missing_is_named_with_a_remedy() {
    let error = error(task().command("no-such-compiler --version"));
    assert_eq!(error.to_string(), "`no-such-compiler --version` exited with code 127");
    assert!(error.hint().unwrap().contains("set PATH in `env`"));
}

#[test]
fn a_step_that_takes_too_long_is_stopped() {
    let started = std::time::Instant::now();
    let error = error(task().time_limit(Duration::from_millis(50)).command("exec sleep 1000"));
    assert!(matches!(&error, Error::TimedOut { command, .. } if command == "exec sleep 1000"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn no_secret_reaches_an_event_or_a_log() {
    let shop = Shop::new();
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEFAASC\n-----END KEY-----\n";
    let block = Block::new("inner", |scope| {
        Ok(scope.command(Shell::new("echo block $INNER").env(Env::new().secret("INNER", "inner-secret")))?)
    });
    let task = task()
        .env(Env::new().secret("TASK", "task-secret").secret("KEY", key).secret("PLACE", "@{install_dir}/hidden"))
        .command(
            Shell::new("echo one $STEP $TASK $PROJECT; echo \"$KEY\" >&2")
                .env(Env::new().secret("STEP", "step-secret")),
        )
        .command("echo later step-secret; echo $PLACE")
        .command("echo task-secret # in a title")
        .emit("project-secret")
        .block(block)
        .command("env; false # project-secret");
    let project = shop.builder().env(Env::new().secret("PROJECT", "project-secret")).task(task).build().unwrap();
    let seen = shop.run_with(&project, |engine| engine.store(shop.store()));
    let output = seen.output("a").join("\n");
    assert!(output.starts_with("one *** *** ***\n***\n***\n***\n***\n"), "{output}");
    let log = fs::read_to_string(shop.work("logs/a.log")).unwrap();
    let steps: Vec<_> = seen.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    let everything = format!("{log}\n{output}\n{}\n{}", steps.join("\n"), serde_json::to_string(&seen.report).unwrap());
    let hidden = shop.installed("hidden").display().to_string();
    for secret in ["project-secret", "task-secret", "step-secret", "inner-secret", "MIIEvQ", "kqhkiG9", &hidden] {
        let line = everything.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[test]
fn blocks_run_steps_and_their_trouble_has_a_name() {
    let shop = Shop::new();
    let block = Block::new("one", |scope| {
        scope.emit(format!("task {}", scope.task()))?;
        scope.run(Mkdir::new("@{stage_install_dir}/made"))?;
        scope.write("new/run", "#!/bin/sh\ncat here\n", Some(0o755))?;
        scope.write("here", "nowhere", None)?;
        scope.command("new/run")?;
        Ok(scope.write("here", scope.expand("@{install_dir}"), None)?)
    });
    let seen = run(&shop, task().block(block).command("cat here"));
    let install_dir = shop.path("install").display().to_string();
    assert_eq!(seen.output("a"), ["task a", "nowhere", &install_dir]);
    assert!(shop.installed("made").is_dir());
    let failing = Block::new("two", |_| anyhow::bail!("no coffee")).named("brew");
    assert_eq!(error(task().block(failing)).to_string(), "block brew: no coffee");
    let panicking = Block::new("three", |_| panic!("spilled"));
    assert_eq!(error(task().block(panicking)).to_string(), "block (unnamed): it panicked: spilled");
}

#[test]
fn symlinks_may_be_replaced_by_what_they_point_to() {
    let shop = Shop::new();
    let step = "mkdir -p @{stage_install_dir}/lib; cd @{stage_install_dir}/lib; echo x > a.so.1; ln -s a.so.1 a.so";
    run(&shop, task().preserve_symlinks(false).command(step));
    let found = look(&shop.path("install/lib"));
    assert!(found.values().all(|look| matches!(look, crate::support::Look::File { .. })), "{found:?}");
}

#[test]
fn makes_of_two_tasks_share_their_jobs() {
    let shop = Shop::new();
    shop.write(
        "recipe/src/Makefile",
        "all: $(addprefix job-,1 2 3 4)\njob-%:\n\t@echo begin; seq 2000 >/dev/null; echo end\n",
    );
    let make = |name: &str| Task::new(name).version("1").source(Source::local("src")).command("make");
    let project = shop.project([make("a"), make("b")]);
    let seen = shop.run_with(&project, |engine| engine.jobs(2));
    assert!(seen.report.success(), "{}", seen.all());
    for task in ["a", "b"] {
        let output = seen.output(task);
        assert_eq!(output.iter().filter(|line| **line == "end").count(), 4, "{output:?}");
        assert!(!output.iter().any(|line| line.contains("warning")), "{output:?}");
    }
}
