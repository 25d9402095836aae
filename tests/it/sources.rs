//! Sources: fetched, verified, unpacked fresh; what counts of them changes tags and nothing else does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use cortado::{Error, Event, Format, Source, SourceState, Task};
use sha2::{Digest, Sha256};

use crate::support::{Shop, look};

fn sha256(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

/// A task that installs its whole source.
fn copying(source: impl Into<Source>) -> Task {
    Task::new("a").version("1").source(source).command("cp -RP . @{stage_install_dir}/")
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Runs a program in a directory of the shop.
fn program(shop: &Shop, dir: &str, words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).current_dir(shop.path(dir)).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A release as upstreams make them: everything in one directory.
fn release(shop: &Shop) {
    shop.write("upstream/shop-1.0/README", "read me");
    let tool = shop.write("upstream/shop-1.0/bin/tool", "#!/bin/sh\n");
    fs::set_permissions(tool, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn every_format_of_archives_is_unpacked() {
    let formats = [
        ("tar", vec!["tar", "cf", "x.tar", "shop-1.0"]),
        ("tar.gz", vec!["tar", "czf", "x.tar.gz", "shop-1.0"]),
        ("tar.bz2", vec!["tar", "cjf", "x.tar.bz2", "shop-1.0"]),
        ("tar.xz", vec!["tar", "cJf", "x.tar.xz", "shop-1.0"]),
        ("tar.zst", vec!["tar", "--zstd", "-cf", "x.tar.zst", "shop-1.0"]),
        ("zip", vec!["zip", "-qr", "x.zip", "shop-1.0"]),
    ];
    for (ending, words) in formats {
        let shop = Shop::new();
        release(&shop);
        program(&shop, "upstream", &words);
        let archive = shop.path(format!("upstream/x.{ending}"));
        let seen = shop.run_tasks([copying(Source::url(url(&archive)).sha256(sha256(&archive)))]);
        assert_eq!(seen.of("a"), "built", "{ending}");
        assert_eq!(
            (shop.names("install"), shop.text("install/README")),
            (vec!["LICENSE".into(), "README".into(), "bin".into()], "read me".into())
        );
        let mode = fs::metadata(shop.installed("bin/tool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{ending}");
        assert!(!shop.path("work/src/a").exists(), "a source is kept after a failure only");
    }
}

#[test]
fn a_strip_and_a_relative_path_say_where_the_source_begins() {
    let shop = Shop::new();
    release(&shop);
    program(&shop, "upstream", &["tar", "czf", "x.tar.gz", "shop-1.0"]);
    let archive = shop.path("upstream/x.tar.gz");
    let source = || Source::url(url(&archive)).sha256(sha256(&archive));
    let whole = shop.run_tasks([copying(source().strip(0))]);
    assert_eq!(shop.names("install"), ["LICENSE", "shop-1.0"]);
    let below = shop.run_tasks([copying(source()).relative_path("bin")]);
    assert_eq!(shop.names("install"), ["LICENSE", "tool"]);
    assert_ne!(whole.tag("a"), below.tag("a"));
    let missing = shop.run_tasks([copying(source()).relative_path("lib")]);
    let error = missing.error("a").to_string();
    assert!(error.starts_with("relative_path: the source has no directory `"), "{error}");
}

#[test]
fn a_plain_file_is_a_source_under_its_own_name() {
    let shop = Shop::new();
    let file = shop.write("upstream/data.bin", "data");
    shop.run_tasks([copying(Source::url(url(&file)).sha256(sha256(&file)).format(Format::Plain))]);
    assert_eq!(shop.text("install/data.bin"), "data");
    assert_eq!(fs::metadata(shop.installed("data.bin")).unwrap().permissions().mode() & 0o7777, 0o644);
    shop.write("recipe/local.txt", "local");
    shop.run_tasks([copying(Source::local("local.txt"))]);
    assert_eq!(shop.names("install"), ["LICENSE", "local.txt"]);
}

#[test]
fn a_wrong_checksum_names_both_and_keeps_nothing() {
    let shop = Shop::new();
    let file = shop.write("upstream/x.tar.gz", "not what was promised");
    let promised = "0".repeat(64);
    let seen = shop.run_tasks([copying(Source::url(url(&file)).sha256(&promised))]);
    let Error::Checksum { expected, found, .. } = seen.error("a") else { panic!("{}", seen.all()) };
    assert_eq!((expected, found), (&promised, &sha256(&file)));
    let kept: Vec<_> = look(&shop.path("work/sources")).into_keys().filter(|path| path.ends_with("x.tar.gz")).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn an_archive_that_is_none_is_refused_by_name() {
    let shop = Shop::new();
    for (content, format) in [
        (&b"<html>"[..], None),
        (b"\x1f\x8b\x08nonsense", None),
        (b"PK\x03\x04half", None),
        (b"x", Some(Format::TarXz)),
    ] {
        let file = shop.write("upstream/x.tar.gz", content);
        let source = Source::url(url(&file)).sha256(sha256(&file));
        let source = format.into_iter().fold(source, |source, format| source.format(format));
        let seen = shop.run_tasks([copying(source)]);
        let error = seen.error("a").to_string();
        assert!(matches!(seen.error("a"), Error::Archive { .. }) && error.contains("x.tar.gz"), "{error}");
    }
}

#[test]
fn a_source_is_fetched_once_and_then_needs_nobody() {
    let shop = Shop::new();
    release(&shop);
    program(&shop, "upstream", &["tar", "czf", "x.tar.gz", "shop-1.0"]);
    let archive = shop.path("upstream/x.tar.gz");
    let task = |version: &str| {
        let source = Source::url("https://shop.invalid/x.tar.gz").sha256(sha256(&archive));
        copying(source).env([("VERSION", version)])
    };
    let offline = |version: &str, mirror: Option<&str>| {
        let project = shop.project([task(version)]);
        shop.run_with(&project, |engine| {
            let engine = engine.offline(true);
            mirror.into_iter().fold(engine, |engine, mirror| engine.sources(shop.path(mirror)))
        })
    };
    let refused = offline("1", None);
    assert!(matches!(refused.error("a"), Error::Offline { url } if url == "https://shop.invalid/x.tar.gz"));
    let states = |seen: &crate::support::Seen| {
        let states = seen.events.iter().filter_map(|event| match event {
            Event::SourceProgress { state, .. } => Some(state.clone()),
            _ => None,
        });
        states.collect::<Vec<_>>()
    };
    let mirrored = offline("1", Some("upstream"));
    assert_eq!(mirrored.of("a"), "built");
    assert_eq!(states(&mirrored), [SourceState::Local { path: archive.clone() }, SourceState::Ready]);
    let cached = offline("2", None);
    assert_eq!(cached.of("a"), "built");
    assert_eq!(states(&cached), [SourceState::Cached, SourceState::Ready]);
}

#[test]
fn of_a_local_source_only_what_counts_is_seen() {
    let shop = Shop::new();
    let private = shop.write("recipe/src/private.c", "int x;");
    let script = shop.write("recipe/src/sub/run.sh", "#!/bin/sh\n");
    shop.write("recipe/src/build.log", "noise");
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&private, 0o600);
    mode(&script, 0o711);
    mode(&shop.path("recipe/src/sub"), 0o700);
    let run = || shop.run_tasks([copying(Source::local("src").exclude("*.log"))]);
    let first = run();
    let product = look(&shop.path("install"));
    assert!(!shop.installed("build.log").exists());
    let modes = ["private.c", "sub/run.sh", "sub"]
        .map(|path| fs::metadata(shop.installed(path)).unwrap().permissions().mode() & 0o7777);
    assert_eq!(modes, [0o644, 0o755, 0o755], "another clone, under another umask, gives the same product");
    fs::File::open(&private).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    mode(&private, 0o664);
    shop.write("recipe/src/build.log", "more noise");
    let touched = run();
    assert_eq!((touched.tag("a"), touched.of("a")), (first.tag("a"), "up to date".into()));
    shop.write("recipe/src/private.c", "int y;");
    let changed = run();
    assert_ne!(changed.tag("a"), first.tag("a"));
    shop.write("recipe/src/private.c", "int x;");
    assert_eq!(run().of("a"), "installed");
    assert_eq!(look(&shop.path("install")), product);
    mode(&private, 0o744);
    assert_ne!(run().tag("a"), first.tag("a"));
}

#[test]
fn a_source_may_hold_the_directories_of_the_engine() {
    let shop = Shop::new();
    shop.write("main.c", "int main;");
    let project =
        || shop.builder().recipe_dir(shop.path("")).task(copying(Source::local(".").exclude("{cache,count-*}")));
    let first = shop.run(&project().build().unwrap());
    assert_eq!(first.of("a"), "built", "{:?}", first.report);
    assert_eq!(shop.names("install"), ["LICENSE", "main.c", "recipe"]);
    assert_eq!(shop.run(&project().build().unwrap()).of("a"), "up to date");
}

/// A repository with one commit on `main`; its hash.
fn repository(shop: &Shop) -> String {
    fs::create_dir(shop.path("repo")).unwrap();
    program(shop, "repo", &["git", "init", "-q", "-b", "main"]);
    commit(shop, "one")
}

fn commit(shop: &Shop, content: &str) -> String {
    shop.write("repo/file", content);
    let identity = ["-c", "user.name=Shop", "-c", "user.email=shop@example.org"];
    program(shop, "repo", &["git", "add", "."]);
    program(shop, "repo", &[&["git"], &identity[..], &["commit", "-q", "-m", content]].concat());
    program(shop, "repo", &["git", "rev-parse", "HEAD"])
}

#[test]
fn a_commit_stays_what_it_is_and_a_branch_moves() {
    let shop = Shop::new();
    let one = repository(&shop);
    let git = || Source::git(url(&shop.path("repo")));
    let run = |source: cortado::Git| {
        let project = shop.project([copying(source)]);
        shop.run_with(&project, |engine| {
            engine.environment([("PATH", std::env::var_os("PATH").unwrap())].map(|(name, value)| (name.into(), value)))
        })
    };
    let pinned = run(git().commit(&one));
    assert_eq!((pinned.of("a"), shop.text("install/file")), ("built".into(), "one".into()));
    let branch = run(git().reference("main"));
    assert_eq!(shop.text("install/file"), "one");
    commit(&shop, "two");
    let moved = run(git().reference("main"));
    assert_ne!(moved.tag("a"), branch.tag("a"));
    assert_eq!((moved.of("a"), shop.text("install/file")), ("built".into(), "two".into()));
    assert_eq!(run(git().reference("main")).of("a"), "up to date");
    assert_eq!(run(git().commit(&one)).tag("a"), pinned.tag("a"));
    assert_eq!(shop.text("install/file"), "one");
    assert!(!shop.installed(".git").exists());
}

#[test]
fn a_source_that_changes_while_it_is_built_is_not_kept_under_its_old_key() {
    let shop = Shop::new();
    let file = shop.write("recipe/beans/beans", "arabica");
    let edit = format!(
        "[ -e '{0}' ] || {{ touch '{0}'; printf robusta > '{1}'; }}",
        shop.path("edited").display(),
        file.display()
    );
    let task = Task::new("a")
        .version("1")
        .source(Source::local(shop.path("recipe/beans")))
        .command("cp beans @{stage_install_dir}/beans")
        .command(edit);
    let project = shop.project([task]);
    let first = shop.run(&project);
    assert!(first.of("a").contains("changed while the task was being built"), "{}", first.of("a"));
    assert!(shop.objects().is_empty() && !shop.installed("beans").exists());
    assert_eq!((shop.run(&project).of("a"), shop.text("install/beans")), ("built".into(), "robusta".into()));
    // Back to the old content, and so to the old key: it is built, not taken from what the first run made.
    shop.write("recipe/beans/beans", "arabica");
    assert_eq!((shop.run(&project).of("a"), shop.text("install/beans")), ("built".into(), "arabica".into()));
}

#[test]
fn a_direct_task_whose_source_changes_meanwhile_runs_again() {
    let shop = Shop::new();
    let file = shop.write("recipe/beans/beans", "arabica");
    let edit = format!("printf robusta > '{}'", file.display());
    let task = Task::new("a")
        .version("1")
        .cache(false)
        .source(Source::local(shop.path("recipe/beans")))
        .command("mkdir -p @{install_dir}; cp beans @{install_dir}/beans")
        .command(edit);
    let project = shop.project([task]);
    assert_eq!(shop.run(&project).of("a"), "built");
    // The old content and the old key again, though the product has something else since.
    fs::write(shop.installed("beans"), "robusta").unwrap();
    shop.write("recipe/beans/beans", "arabica");
    let again = shop.run(&project);
    assert_eq!((again.of("a"), shop.text("install/beans")), ("built".into(), "arabica".into()));
    assert!(again.warnings().iter().any(|text| text.contains("changed while the task was being built")));
}
