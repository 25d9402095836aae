//! The directory store's speed claims as code: beside `cp` and `mv`, with 100,000 objects, and while it evicts.
//!
//! `cargo bench --bench store` prints medians of five rounds; `-- --dir DIR` says on which disk, `-- --quick` does
//! everything once over with few objects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cortado::{DirectoryOptions, DirectoryStore, FileSync, Prune, Put, Store, Stored};

/// Processes at once, and what they store in all.
const PROCESSES: usize = 8;
const ARTIFACTS: usize = 1000;
const SIZE: usize = 10_000;

/// The ways to store and fetch that are compared.
const WAYS: [&str; 4] = ["store", "store, from files", "copy + rename", "cp + mv"];

struct Args {
    dir: PathBuf,
    quick: bool,
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == "worker") {
        if ["visit", "count"].contains(&args[1].as_str()) {
            return visit(&args[1], Path::new(&args[3]));
        }
        return work(&args[1], args[2].parse().unwrap(), Path::new(&args[3]));
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let dir = args.iter().position(|arg| arg == "--dir").map(|at| args.swap_remove(at + 1));
    let args = Args { dir: dir.map_or_else(std::env::temp_dir, PathBuf::from), quick };
    exchange(&args);
    crowd(&args);
}

/// Eight processes store and fetch.
fn exchange(args: &Args) {
    println!("{PROCESSES} processes store, then fetch, {ARTIFACTS} artifacts of {SIZE} bytes: artifacts a second");
    let rounds = if args.quick { 1 } else { 5 };
    let mut times = vec![Vec::new(); WAYS.len()];
    for _ in 0..rounds {
        for (way, times) in WAYS.iter().zip(&mut times) {
            times.push(round(way, args));
        }
    }
    for (way, times) in WAYS.iter().zip(times) {
        println!("  {way:20} {:8.0}", ARTIFACTS as f64 / median(times).as_secs_f64());
    }
}

fn round(way: &str, args: &Args) -> Duration {
    let room = tempfile::tempdir_in(&args.dir).unwrap();
    fs::create_dir(room.path().join("files")).unwrap();
    for number in 0..ARTIFACTS {
        fs::write(room.path().join(format!("files/{number}")), content(number)).unwrap();
    }
    let mut workers: Vec<_> = (0..PROCESSES).map(|number| start(way, number, room.path())).collect();
    workers.iter_mut().for_each(|(_, lines)| drop(lines.next().unwrap().unwrap())); // ready
    let begin = Instant::now();
    workers.iter_mut().for_each(|(child, _)| child.stdin.take().unwrap().write_all(b"go\n").unwrap());
    for (mut child, mut lines) in workers {
        lines.next().unwrap().unwrap(); // done
        assert!(child.wait().unwrap().success());
    }
    begin.elapsed()
}

type Lines = std::io::Lines<BufReader<std::process::ChildStdout>>;

fn start(way: &str, number: usize, room: &Path) -> (Child, Lines) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["worker", way, &number.to_string()])
        .arg(room)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// What each process does.
fn work(way: &str, number: usize, room: &Path) {
    let share: Vec<usize> = (0..ARTIFACTS).filter(|artifact| artifact % PROCESSES == number).collect();
    println!("ready");
    std::io::stdin().lines().next();
    match way {
        "store" | "store, from files" => work_in_store(way, &share, room),
        "cp + mv" => work_by_programs(&share, room),
        _ => work_by_hand(&share, room),
    }
    println!("done");
}

fn work_in_store(way: &str, share: &[usize], room: &Path) {
    let store = open(&room.join("store"), 1 << 30);
    for artifact in share {
        let (name, file) = (name(*artifact), room.join(format!("files/{artifact}")));
        let mut options = Put::default();
        options.size = Some(SIZE as u64);
        let stored = match way {
            "store" => store.put(&name, &mut fs::File::open(&file).unwrap(), &options),
            _ => store.put_file(&name, &file, &options),
        };
        assert_eq!(stored.unwrap(), Stored::New);
    }
    for artifact in share {
        let mut content = Vec::new();
        store.get(&name(*artifact)).unwrap().unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content.len(), SIZE);
    }
}

fn work_by_hand(share: &[usize], room: &Path) {
    let dir = room.join("store");
    fs::create_dir_all(&dir).unwrap();
    for artifact in share {
        let (draft, file) = (dir.join(format!(".{artifact}")), dir.join(name(*artifact)));
        fs::copy(room.join(format!("files/{artifact}")), &draft).unwrap();
        fs::rename(draft, file).unwrap();
    }
    for artifact in share {
        assert_eq!(fs::read(dir.join(name(*artifact))).unwrap().len(), SIZE);
    }
}

fn work_by_programs(share: &[usize], room: &Path) {
    let mut script = format!("set -e; cd '{}'; mkdir -p store\n", room.display());
    for artifact in share {
        let name = name(*artifact);
        script += &format!("cp files/{artifact} store/.{artifact}; mv store/.{artifact} store/{name}\n");
    }
    share.iter().for_each(|artifact| script += &format!("cat store/{} > /dev/null\n", name(*artifact)));
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// One store with very many objects.
fn crowd(args: &Args) {
    let (many, few) = if args.quick { (2000, 200) } else { (100_000, 10_000) };
    let room = tempfile::tempdir_in(&args.dir).unwrap();
    let store = open(room.path(), 1 << 34);
    let begin = Instant::now();
    (0..many)
        .for_each(|number| drop(store.put(&name(number), &mut &content(number)[..1000], &Put::default()).unwrap()));
    println!("{many} objects stored one after the other in {:.2} s", begin.elapsed().as_secs_f64());
    drop(store);
    let store = open(room.path(), 0);
    store.get(&name(0)).unwrap().unwrap();
    lookups(&store, many);
    memory(args, room.path(), many);
    evict(&store, many, few);
}

/// What a process needs that opens a store, fetches and stores once, and goes.
fn memory(args: &Args, room: &Path, many: usize) {
    let memory = |part: &str, dir: &Path| {
        let output =
            Command::new(std::env::current_exe().unwrap()).args(["worker", part, "0"]).arg(dir).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let small = tempfile::tempdir_in(&args.dir).unwrap();
    drop(open(small.path(), 1 << 34).put(&name(1), &mut &content(1)[..1000], &Put::default()).unwrap());
    println!(
        "  peak memory of a process: {} KiB; with one object in the store {} KiB",
        memory("visit", room),
        memory("visit", small.path())
    );
    println!("  that counts {many} objects: {} KiB; one {} KiB", memory("count", room), memory("count", small.path()));
}

/// What such a process does.
fn visit(way: &str, dir: &Path) {
    let store = open(dir, 0);
    store.get(&name(1)).unwrap().unwrap();
    drop(store.put("visit", &mut &b"x"[..], &Put::default()).unwrap());
    if way == "count" {
        store.prune(&Prune::new().to_size(1 << 34)).unwrap();
    }
    drop(store);
    println!("{}", peak());
}

fn lookups(store: &DirectoryStore, many: usize) {
    let absent: Vec<_> = (0..1000).map(|number| name(many + number)).collect();
    for (what, look) in [
        ("get", (|store, name| store.get(name).unwrap().is_some()) as fn(&DirectoryStore, &str) -> bool),
        ("has", |store, name| store.has(name).unwrap()),
    ] {
        let times = absent.iter().map(|name| {
            let begin = Instant::now();
            assert!(!look(store, name));
            begin.elapsed()
        });
        println!("  {what} of an absent key: {:.1} us", median(times.collect()).as_secs_f64() * 1e6);
    }
}

/// Evicts while somebody reads.
fn evict(store: &DirectoryStore, many: usize, few: usize) {
    let charge = 1000 + 1024;
    let stop = AtomicBool::new(false);
    let prune = Prune::new().to_size(((many - few) * charge) as u64);
    let slowest = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_on(store, many, few, &stop));
        let begin = Instant::now();
        let pruned = store.prune(&prune).unwrap();
        println!("  {} of {many} objects evicted in {:.2} s", pruned.objects.len(), begin.elapsed().as_secs_f64());
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("  slowest hit meanwhile: {:.1} ms", slowest.as_secs_f64() * 1e3);
}

fn read_on(store: &DirectoryStore, many: usize, few: usize, stop: &AtomicBool) -> Duration {
    let (mut slowest, mut number) = (Duration::ZERO, 0);
    while !stop.load(Ordering::Relaxed) {
        let name = name(2 * few + number % (many - 2 * few));
        let begin = Instant::now();
        let mut content = Vec::new();
        store.get(&name).unwrap().unwrap().read_to_end(&mut content).unwrap();
        slowest = slowest.max(begin.elapsed());
        number += 1;
        std::thread::yield_now();
    }
    slowest
}

fn open(dir: &Path, size: u64) -> DirectoryStore {
    DirectoryStore::open_with(dir, &DirectoryOptions::new().initial_size(size).file_sync(FileSync::None)).unwrap()
}

/// Named like an artifact.
fn name(number: usize) -> String {
    format!("shop-task-{number:064x}.tar.gz")
}

fn content(number: usize) -> Vec<u8> {
    (0..SIZE).map(|at| (at ^ (at >> 8) ^ number.wrapping_mul(151)) as u8).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory that this process has used, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
