//! The directory store: what it takes for its own, what it is told in `config.toml`, and what the world does to it.

mod sharing;

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cortado::{CacheMode, DirectoryStore, Error, Put, Remedy, Store, Stored, Task};

use crate::support::Shop;

/// An object's place, by what `docs/directory-store.md` says.
fn place(root: &Path, name: &str) -> PathBuf {
    let digest = cortado::Digest::of(name).to_string();
    root.join("objects").join(&digest[..2]).join(name)
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn read(store: &DirectoryStore, name: &str) -> Option<String> {
    let mut content = String::new();
    store.get(name).unwrap()?.read_to_string(&mut content).unwrap();
    Some(content)
}

fn put(store: &DirectoryStore, name: &str, content: &str) -> Stored {
    store.put(name, &mut content.as_bytes(), &Put::default()).unwrap()
}

#[test]
fn a_store_of_the_first_version_is_taken_over_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("format"), "cortado store 1\n");
    write(&place(dir.path(), "old"), "kept");
    let store = DirectoryStore::open(dir.path()).unwrap();
    assert_eq!(read(&store, "old").as_deref(), Some("kept"));
    assert_eq!(put(&store, "old", "other"), Stored::Present);
    assert_eq!(put(&store, "new", "x"), Stored::New);
    assert_eq!(store.usage().unwrap().objects, 2);
    assert_eq!(fs::read_to_string(dir.path().join("format")).unwrap(), "cortado store 2\n");
    assert!(fs::read_to_string(dir.path().join("config.toml")).unwrap().contains("size = \"20G\""));
}

#[test]
fn a_directory_with_nothing_but_a_configuration_becomes_a_store() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("config.toml"), "size = \"1.5T\"\nperm = \"group\"\n");
    let store = DirectoryStore::open(dir.path()).unwrap();
    assert_eq!(store.usage().unwrap().size, 3 << 39);
    assert_eq!(fs::read_to_string(dir.path().join("config.toml")).unwrap(), "size = \"1.5T\"\nperm = \"group\"\n");
}

#[test]
fn what_a_configuration_gets_wrong_is_named_and_nothing_is_made() {
    let cases = [
        ("file_sync = \"dir\"", "`size` is missing"),
        ("size = \"10GB \"", "`size` cannot be \"10GB \""),
        ("size = \"1g\"", "`size` cannot be \"1g\""),
        ("size = 1\nfile_sync = \"all\"", "`file_sync` cannot be \"all\""),
        ("size = 1\nsise = 2", "unknown key `sise`"),
        ("[server]\nport = 80", "unknown key `server`"),
    ];
    for (text, problem) in cases {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("config.toml"), text);
        let error = DirectoryStore::open(dir.path()).unwrap_err();
        let path = dir.path().join("config.toml");
        assert_eq!(error.to_string(), format!("`{}`: {problem}", path.display()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{text}");
    }
}

#[test]
fn a_store_whose_configuration_is_gone_is_refused_rather_than_guessed_at() {
    let dir = tempfile::tempdir().unwrap();
    put(&DirectoryStore::open(dir.path()).unwrap(), "a", "x");
    fs::remove_file(dir.path().join("config.toml")).unwrap();
    let error = DirectoryStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, Error::Invalid { problem, .. } if problem.starts_with("it is missing")), "{error}");
    assert!(place(dir.path(), "a").exists());
}

#[test]
fn what_belongs_to_others_is_refused_untouched() {
    let cases = [("format", "ext4"), ("format", "cortado store 9\n"), ("format", "\u{ff}"), ("thesis.tex", "x")];
    for (name, content) in cases {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join(name), content);
        let error = DirectoryStore::open(dir.path()).unwrap_err();
        assert_eq!(matches!(error, Error::Newer { .. }), content.starts_with("cortado"), "{error}");
        assert!(matches!(error, Error::Newer { .. } | Error::Foreign { .. }));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

#[test]
fn names_cannot_leave_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(dir.path()).unwrap();
    for name in ["", ".", "../x", "a/b", ".hidden", "a\0"] {
        assert!(store.put(name, &mut std::io::empty(), &Put::default()).is_err(), "{name:?}");
        assert!(store.get(name).is_err() && store.info(name).is_err() && store.unpin(name).is_err(), "{name:?}");
    }
}

#[test]
fn stray_files_are_tolerated_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(dir.path()).unwrap();
    put(&store, "a", "x");
    let shard = place(dir.path(), "a").parent().unwrap().to_path_buf();
    write(&dir.path().join("notes.txt"), "mine");
    write(&dir.path().join("objects/README"), "mine");
    write(&shard.join("b"), "in the wrong place");
    fs::create_dir_all(place(dir.path(), "tree").join("full")).unwrap();
    symlink("/etc/passwd", shard.join("link")).unwrap();
    assert_eq!(store.list().unwrap().map(|listed| listed.unwrap().name).collect::<Vec<_>>(), ["a"]);
    let found = store.repair(false).unwrap();
    let left = |path: &str| found.iter().any(|found| found.path == Path::new(path) && found.remedy == Remedy::Left);
    assert!(left("notes.txt") && left("objects/README"), "{found:?}");
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(place(dir.path(), "tree").join("full").exists() && shard.join("b").exists(), "they may be somebody's");
    assert_eq!(read(&store, "a").as_deref(), Some("x"));
}

#[test]
fn repair_does_what_its_dry_run_lists_and_a_second_one_nothing() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = DirectoryStore::open(dir.path()).unwrap();
        ["deleted", "truncated", "pinned", "good"].iter().for_each(|name| drop(put(&store, name, "content")));
        store.pin("pinned").unwrap();
        store.prune(&cortado::Prune::new().to_size(u64::MAX)).unwrap();
    }
    // Another process has seen all of them: they are in the index.
    fs::remove_file(dir.path().join("ledger")).unwrap();
    put(&DirectoryStore::open(dir.path()).unwrap(), "later", "content");
    let store = DirectoryStore::open(dir.path()).unwrap();
    for name in ["deleted", "pinned"] {
        fs::remove_file(place(dir.path(), name)).unwrap();
    }
    fs::write(place(dir.path(), "truncated"), "con").unwrap();
    write(&place(dir.path(), "draft").with_file_name(".tmp-x"), "");
    symlink("nowhere", place(dir.path(), "good").with_file_name("dangling")).unwrap();
    fs::create_dir_all(place(dir.path(), "directory")).unwrap();
    let listed = store.repair(true).unwrap();
    let problems: Vec<_> = listed.iter().map(|found| found.problem.as_str()).collect();
    for part in
        ["it has 3 B, but 7 B were stored", "knows `deleted`", "it pins an object", "a draft", "an empty directory"]
    {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
    assert_eq!(store.repair(true).unwrap(), listed, "a dry run changes nothing");
    assert_eq!(store.repair(false).unwrap(), listed);
    let stray: Vec<_> = store.repair(false).unwrap();
    assert!(stray.iter().all(|found| found.remedy == Remedy::Left), "{stray:?}");
    assert_eq!(store.repair(true).unwrap(), stray);
    let mut names: Vec<_> = store.list().unwrap().map(|listed| listed.unwrap().name).collect();
    names.sort();
    assert_eq!(names, ["good", "later"]);
}

#[test]
fn verification_finds_what_was_damaged_and_changes_nothing() {
    let shop = Shop::new();
    let wares = ["cut", "flipped", "good"].map(|name| shop.ware(name, "content"));
    let seen = shop.run_tasks(wares);
    let object = |task: &str| place(&shop.path("cache"), &format!("{}.tar.gz", seen.tag(task)));
    let cut = fs::read(object("cut")).unwrap();
    fs::write(object("cut"), &cut[..cut.len() - 30]).unwrap();
    let mut flipped = fs::read(object("flipped")).unwrap();
    flipped[40] ^= 1;
    fs::write(object("flipped"), flipped).unwrap();
    let store = shop.store();
    let mut flaws: Vec<_> = store.verify().unwrap().map(|flaw| flaw.unwrap().name).collect();
    flaws.sort();
    assert_eq!(flaws, [format!("{}.tar.gz", seen.tag("cut")), format!("{}.tar.gz", seen.tag("flipped"))]);
    assert_eq!(shop.objects().len(), 3);
}

type Damage = fn(&Path);

#[test]
fn whatever_becomes_of_an_entry_it_is_built_again_and_replaced() {
    let damages: [(&str, Damage); 5] = [
        ("truncated", |path| fs::write(path, &fs::read(path).unwrap()[..50]).unwrap()),
        ("bit-flipped", |path| {
            let mut content = fs::read(path).unwrap();
            content[60] ^= 4;
            fs::write(path, content).unwrap();
        }),
        ("a directory", |path| fs::remove_file(path).and_then(|()| fs::create_dir(path)).unwrap()),
        ("a symlink", |path| fs::remove_file(path).and_then(|()| symlink("/etc/passwd", path)).unwrap()),
        ("a pipe", |path| {
            fs::remove_file(path).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    for (what, damage) in damages {
        let shop = Shop::new();
        shop.run_tasks([shop.ware("a", "x")]);
        damage(&shop.objects()[0]);
        shop.clean();
        let seen = shop.run_tasks([shop.ware("a", "x")]);
        assert_eq!((seen.all().as_str(), shop.count("a")), ("a built", 2), "{what}");
        if what != "a pipe" {
            shop.clean();
            assert_eq!(shop.run_tasks([shop.ware("a", "x")]).all(), "a restored", "{what}");
        }
    }
}

#[test]
fn a_store_that_is_deleted_during_a_build_costs_only_what_it_kept() {
    let shop = Shop::new();
    let cache = shop.path("cache");
    // At one go: what is kept of `a` may still be on its way.
    let delete = format!("mv '{}' '{}'", cache.display(), shop.path("gone").display());
    let delete = Task::new("delete").version("1").command(delete);
    let seen = shop.run_tasks([shop.ware("a", "x"), delete.depends_on("a"), shop.ware("b", "y").depends_on("delete")]);
    assert_eq!(seen.all(), "a built, delete built, b built");
    assert!(seen.stored().iter().any(|stored| stored.is_err()), "{:?}", seen.stored());
    assert!(!cache.exists(), "a store that is gone is not made up again");
    shop.clean();
    assert_eq!(shop.run_tasks([shop.ware("a", "x")]).all(), "a built");
}

#[test]
fn two_builders_of_one_key_keep_one_artifact_and_learn_how_they_differ() {
    let shop = Shop::new();
    let task = || {
        let write = "cd @{stage_install_dir}; cp -r \"$OUTSIDE\"/. .";
        Task::new("a").version("1").command(write)
    };
    let build = |outside: &str, stored: usize| {
        shop.clean();
        let outside = shop.path(outside);
        let environment = [("OUTSIDE".into(), outside.into()), ("PATH".into(), std::env::var_os("PATH").unwrap())];
        let project = shop.builder().task(task().pass_env("OUTSIDE")).build().unwrap();
        let seen = shop.run_with(&project, |engine| {
            engine.store(shop.store()).cache_mode(CacheMode::WriteOnly).environment(environment)
        });
        assert_eq!((seen.all().as_str(), shop.objects().len()), ("a built", stored));
        seen.warnings().join("\n")
    };
    for (file, content) in [
        ("one/same", "x"),
        ("one/changed", "1"),
        ("one/first", ""),
        ("two/same", "x"),
        ("two/changed", "2"),
        ("two/second", ""),
    ] {
        shop.write(file, content);
    }
    assert_eq!(build("one", 1), "");
    assert_eq!(build("one", 1), "", "equal output is no news");
    let first = fs::read(&shop.objects()[0]).unwrap();
    let told = build("two", 1);
    for part in [
        "keeps another artifact of the same key",
        "only here: `",
        "second`",
        "only in the cache: `",
        "first`",
        "different: `",
        "changed`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("same`"), "{told}");
    assert_eq!(fs::read(&shop.objects()[0]).unwrap(), first, "the first one stays");
}

#[test]
fn a_store_without_room_costs_a_warning_and_no_more() {
    let shop = Shop::new();
    shop.write("cache/config.toml", "size = 10\n");
    let seen = shop.run_tasks([shop.ware("a", "x")]);
    assert_eq!((seen.all().as_str(), shop.objects().len()), ("a built", 0));
    let [warning] = seen.warnings()[..] else { panic!("{:?}", seen.warnings()) };
    assert!(warning.contains("did not take the artifact: ") && warning.ends_with(" do not fit into 10 B"), "{warning}");
}
