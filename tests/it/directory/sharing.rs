//! The directory store among several processes, users and ways to synchronise. A child of this test binary is another
//! process; what needs root or `strace` says so when it is left out.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cortado::{DirectoryStore, Put, Store, Stored};

use super::{place, put, read};
use crate::support::copy_program;

const ROOM: &str = "CORTADO_DIRECTORY_ROOM";
const PART: &str = "CORTADO_DIRECTORY_PART";

/// Somebody who is not root, and a group that is not root's.
const SOMEBODY: u32 = 54_321;
const GROUP: u32 = 54_322;

/// The room of the story, in a child.
fn room() -> Option<(PathBuf, String)> {
    Some((std::env::var_os(ROOM)?.into(), std::env::var(PART).unwrap()))
}

/// Another process that tells a part of a story, by way of `sh` so that it can have a umask.
fn child(story: &str, room: &Path, part: &str, umask: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("directory::sharing::{story}"), "--nocapture", "--test-threads=1"]);
    command.env(ROOM, room).env(PART, part).current_dir("/");
    command
}

fn told(output: Output) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn a_writer_among_many() {
    let Some((room, part)) = room() else { return };
    let store = DirectoryStore::open(room).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, part) = (&store, &part);
            scope.spawn(move || {
                let content = format!("{part}-{thread} ").repeat(5000);
                if put(store, "one", &content) == Stored::New {
                    println!("won");
                }
            });
        }
    });
}

#[test]
fn of_64_writers_of_one_key_one_wins() {
    let room = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..8)
        .map(|number| child("a_writer_among_many", room.path(), &number.to_string(), "022"))
        .map(|mut command| command.stdout(std::process::Stdio::piped()).spawn().unwrap())
        .collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let wins: usize = outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout).matches("won").count()).sum();
    assert_eq!(wins, 1);
    let store = DirectoryStore::open(room.path()).unwrap();
    let content = read(&store, "one").unwrap();
    let first = content.split(' ').next().unwrap();
    assert_eq!(content, format!("{first} ").repeat(5000), "it is one writer's, whole");
    assert_eq!(store.list().unwrap().count(), 1);
    drop(store);
    assert_eq!(fs::read_dir(room.path().join("writers")).unwrap().count(), 0, "everybody has left");
}

/// What the store may take while two processes fill it.
const CAP: u64 = 400 << 10;

#[test]
fn a_writer_of_a_hundred() {
    let Some((room, part)) = room() else { return };
    let store = DirectoryStore::open(room).unwrap();
    for number in 0..100 {
        let stored = store.put(&format!("{part}-{number}"), &mut &vec![1; 9000 + number][..], &Put::default()).unwrap();
        assert!(matches!(stored, Stored::New | Stored::Declined(_)), "{stored:?}");
    }
}

#[test]
fn two_processes_never_exceed_the_size_that_they_share() {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("config.toml"), format!("size = {CAP}\n")).unwrap();
    let store = DirectoryStore::open(room.path()).unwrap();
    let mut children: Vec<_> = ["a", "b"]
        .iter()
        .map(|part| child("a_writer_of_a_hundred", room.path(), part, "022").spawn().unwrap())
        .collect();
    let mut most = 0;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        most = most.max(taken(&room.path().join("objects")) + drafts(&room.path().join("writers")));
    }
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    assert!(most <= CAP && most > CAP / 2, "{most} of {CAP}");
    let kept = store.list().unwrap().count();
    assert!((20..=40).contains(&kept), "{kept}");
    assert_eq!(store.repair(true).unwrap(), []);
}

/// What the files below a directory take; what goes meanwhile counts or not.
fn taken(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => taken(&entry.path()),
            found => found.map_or(0, |found| found.len()),
        })
        .sum()
}

/// What the drafts of all writers take: their logs are not objects.
fn drafts(writers: &Path) -> u64 {
    let dirs = fs::read_dir(writers).into_iter().flatten().flatten();
    let files = dirs.flat_map(|dir| fs::read_dir(dir.path()).into_iter().flatten().flatten());
    files
        .filter(|file| file.file_name() != "log")
        .filter_map(|file| file.metadata().ok())
        .map(|found| found.len())
        .sum()
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("left out: only root can be somebody else");
    }
    root
}

/// A directory that anybody may enter, for a store that belongs to a group.
fn hall(perm: &str) -> tempfile::TempDir {
    let room = tempfile::tempdir().unwrap();
    let root = room.path().join("store");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("config.toml"), format!("size = \"1M\"\nperm = \"{perm}\"\n")).unwrap();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(root.join("config.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    room
}

/// A child that is somebody else, of a group; it needs its own copy of the program, which may lie where only root gets.
fn somebody(story: &str, room: &Path, part: &str, group: u32) -> Output {
    let program = room.join("program");
    if !program.exists() {
        copy_program(&std::env::current_exe().unwrap(), &program);
    }
    let mut command = Command::new(program);
    command.args(["--exact", &format!("directory::sharing::{story}"), "--nocapture", "--test-threads=1"]);
    command.env(ROOM, room.join("store")).env(PART, part).current_dir("/").uid(SOMEBODY).gid(group);
    command.output().unwrap()
}

#[test]
fn a_user_of_a_shared_store() {
    let Some((room, part)) = room() else { return };
    let store = DirectoryStore::open(room).unwrap();
    match part.as_str() {
        "first" => assert_eq!(put(&store, "first", "x"), Stored::New),
        "second" | "third" => {
            assert_eq!(read(&store, "first").as_deref(), Some("x"));
            assert_eq!(put(&store, &part, "y"), Stored::New);
            assert!(store.remove("first").unwrap());
            assert_eq!(put(&store, "first", "x"), Stored::New);
        }
        _ => {
            assert_eq!(read(&store, "first").as_deref(), Some("x"), "reading needs no permission to write");
            assert!(store.get("absent").unwrap().is_none());
            assert!(store.put("mine", &mut &b"z"[..], &Put::default()).is_err());
        }
    }
}

#[test]
fn whom_the_store_is_shared_with_can_read_and_store_whatever_the_umask() {
    if !is_root() {
        return;
    }
    for (perm, bits, group) in [("group", 0o060, GROUP), ("other", 0o066, SOMEBODY)] {
        let room = hall(perm);
        let root = room.path().join("store");
        chown(&root, None, Some(GROUP)).unwrap();
        let open = if perm == "group" { 0o2770 } else { 0o2777 };
        fs::set_permissions(&root, fs::Permissions::from_mode(open)).unwrap();
        told(child("a_user_of_a_shared_store", &root, "first", "077").output().unwrap());
        let object = fs::metadata(place(&root, "first")).unwrap();
        assert_eq!((object.mode() & 0o077, object.gid()), (bits, GROUP), "{perm}");
        let shard = fs::metadata(place(&root, "first").parent().unwrap()).unwrap();
        assert_eq!(
            shard.mode() & 0o7077,
            0o2000 | bits | bits >> 1 & 0o011 | bits >> 2 & 0o011,
            "{perm}: {:o}",
            shard.mode()
        );
        told(somebody("a_user_of_a_shared_store", room.path(), "second", group));
        told(child("a_user_of_a_shared_store", &root, "third", "077").output().unwrap());
    }
}

#[test]
fn without_perm_the_umask_stays_and_a_reader_gets_hits() {
    if !is_root() {
        return;
    }
    let room = hall("none");
    let root = room.path().join("store");
    told(child("a_user_of_a_shared_store", &root, "first", "027").output().unwrap());
    assert_eq!(fs::metadata(place(&root, "first")).unwrap().mode() & 0o777, 0o640);
    let open_up = Command::new("chmod").args(["-R", "o+rX"]).arg(&root).status().unwrap();
    assert!(open_up.success());
    told(somebody("a_user_of_a_shared_store", room.path(), "reader", SOMEBODY));
    fs::set_permissions(place(&root, "first"), fs::Permissions::from_mode(0o600)).unwrap();
    let refused = somebody("a_user_of_a_shared_store", room.path(), "reader", SOMEBODY);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Permission denied"), "an unreadable object says so");
}

#[test]
fn a_process_that_is_watched() {
    let Some((room, part)) = room() else { return };
    let store = DirectoryStore::open(room).unwrap();
    if part == "store" {
        assert_eq!(put(&store, "object", "x"), Stored::New);
    }
    assert!(store.get("object").unwrap().is_some());
}

/// The system calls of a process that stores an object, or only fetches it.
fn watched(sync: &str, part: &str) -> Option<Vec<String>> {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("config.toml"), format!("size = \"1M\"\nfile_sync = \"{sync}\"\n")).unwrap();
    let store = DirectoryStore::open(room.path()).unwrap();
    if part != "store" {
        put(&store, "object", "x");
    }
    drop(store);
    let log = room.path().with_extension("strace");
    let calls = "--trace=open,openat,fsync,fdatasync,rename,renameat,renameat2";
    let status = Command::new("strace")
        .args(["-f", "-y", calls, "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "directory::sharing::a_process_that_is_watched", "--nocapture", "--test-threads=1"])
        .env(ROOM, room.path())
        .env(PART, part)
        .output();
    let Ok(output) = status else {
        eprintln!("left out: there is no strace");
        return None;
    };
    told(output);
    let text = fs::read_to_string(&log).unwrap();
    fs::remove_file(log).unwrap();
    let own = room.path().display().to_string();
    Some(text.lines().filter(|line| line.contains(&own)).map(str::to_owned).collect())
}

/// Where the first call is that has all of these in it.
fn position(calls: &[String], parts: &[&str]) -> Option<usize> {
    calls.iter().position(|call| parts.iter().all(|part| call.contains(part)))
}

#[test]
fn each_way_to_synchronise_does_what_it_says() {
    let Some(none) = watched("none", "store") else { return };
    assert_eq!(position(&none, &["sync("]), None);
    assert_eq!(position(&none, &["openat", "/objects/", "\", O_RDONLY|O_CLOEXEC)"]), None, "{none:#?}");
    let sync = watched("sync", "store").unwrap();
    let renamed = position(&sync, &["renameat2", "/objects/"]).unwrap();
    let flushed = position(&sync, &["fsync", "/writers/"]).unwrap();
    assert!(flushed < renamed, "the file before its name: {sync:#?}");
    assert!(position(&sync[renamed..], &["fsync", "/objects/"]).is_some(), "{sync:#?}");
    let fetched = watched("dir", "fetch").unwrap();
    assert_eq!(position(&fetched, &["sync("]), None);
    let opened = position(&fetched, &["openat", "/objects/", "O_RDONLY|O_CLOEXEC"]).unwrap();
    let read = position(&fetched, &["open", "/object\""]).unwrap();
    assert!(opened < read, "the directory before what is in it: {fetched:#?}");
}
