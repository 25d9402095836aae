//! What goes wrong: bad names, bad bodies, bad disks, bad neighbours. Whatever it is, no half of anything is served.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;

use super::client::{Answer, Request, connect, raw};
use super::program::Program;
use super::served::Served;

#[test]
fn bad_names_are_refused_and_leave_nothing() {
    let served = Served::new();
    let long = "x".repeat(4096);
    let names = [
        "..",
        "%2e%2e",
        "a%2Fb",
        "..%2f..%2fetc%2fpasswd",
        "a%00b",
        "a%5cb",
        ".hidden",
        "A~b",
        "~b",
        "quarantine~a",
        "a%20b",
        "%c3%a4",
        "%ff",
        &long,
    ];
    for name in names {
        for answer in [served.get(name), served.put(name, "beans")] {
            assert_eq!(answer.status, 400, "{name}");
            assert!(!answer.detail().is_empty());
        }
    }
    assert!(served.files().is_empty());
    assert!(!served.dir.path().join("passwd").exists());
}

#[test]
fn names_that_differ_by_case_are_different_names() {
    let served = Served::new();
    assert_eq!((served.put("Bean", "one").status, served.put("bean", "two").status), (201, 201));
    assert_eq!((served.get("Bean").body, served.get("bean").body), (b"one".to_vec(), b"two".to_vec()));
    assert_eq!(served.get("BEAN").status, 404);
}

#[test]
fn a_body_that_is_not_what_was_promised_leaves_nothing() {
    let served = Served::new();
    let nothing = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    for size in [10, 300_000] {
        let put = Request::new("PUT", "/v1/artifacts/a").body(vec![7; size]);
        assert_eq!(served.send(&put.clone().header("Content-Digest", nothing)).status, 400);
        assert_eq!(served.send(&put.clone().header("Digest", nothing.replace(':', ""))).status, 400);
        assert_eq!(served.send(&put.header("Repr-Digest", "sha-256=:bm9uZQ==:")).status, 400);
    }
    assert!(served.files().is_empty());
    assert_eq!(served.get("a").status, 404);
}

/// Sends a PUT to its end before it looks for an answer, and a question after it on the same connection.
fn sent_to_its_end(served: &Served, head: &str) -> (u16, u16) {
    let mut stream = connect(served.address);
    let put = format!("PUT /v1/artifacts/a HTTP/1.1\r\nHost: here\r\nContent-Length: 30000000\r\n{head}\r\n");
    stream.write_all(put.as_bytes()).unwrap();
    stream.write_all(&vec![7; 30_000_000]).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer espresso\r\n\r\n").unwrap();
    let mut stream = BufReader::new(stream);
    (Answer::read(&mut stream, false).status, Answer::read(&mut stream, false).status)
}

#[test]
fn whoever_is_refused_may_finish_and_learns_it() {
    let small = Served::with(|options| options.max_object = 1000);
    assert_eq!(sent_to_its_end(&small, ""), (413, 200));
    let guarded = Served::guarded(&["ci:{TOKEN}TOKEN:reader"], |_| {});
    assert_eq!(sent_to_its_end(&guarded, ""), (401, 200));
    assert_eq!(sent_to_its_end(&guarded, "Authorization: Bearer espresso\r\n"), (403, 200));
    assert!(small.files().is_empty() && guarded.files().is_empty());
}

/// Sends the head of a PUT and a part of its body, and closes.
fn break_off(served: &Served, length: usize, sent: usize) -> Vec<u8> {
    let mut stream = connect(served.address);
    write!(stream, "PUT /v1/artifacts/a HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n\r\n").unwrap();
    stream.write_all(&vec![1; sent]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let served = Served::new();
    for (length, sent) in [(10, 0), (10, 9), (1 << 20, 1000), (1 << 20, (1 << 20) - 1)] {
        let answer = break_off(&served, length, sent);
        assert!(!answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(served.get("a").status, 404);
    }
    // The writer's thread has seen the end by the time that another upload is through.
    assert_eq!(served.put("b", vec![1; 1 << 20]).status, 201);
    let mut files = served.files();
    while files.len() > 1 {
        thread::yield_now();
        files = served.files();
    }
    assert!(files[0].ends_with("b"));
}

#[test]
fn chunks_are_taken_and_broken_chunks_are_not() {
    let served = Served::new();
    let put = Request::new("PUT", "/v1/artifacts/a").header("Transfer-Encoding", "chunked");
    let head = "PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for broken in ["3\r\nbea\r\n2\r\nns\r\n", "3\r\nbe", "x\r\nbea\r\n0\r\n\r\n", "fffffffffffffffff\r\nbea", "-1\r\n"]
    {
        let answer = raw(served.address, format!("{head}{broken}").as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 20"), "{broken:?}: {answer}");
    }
    assert_eq!(served.get("a").status, 404);
    assert_eq!(served.send(&put.body("3\r\nbea\r\n2\r\nns\r\n0\r\n\r\n")).status, 201);
    assert_eq!(served.get("a").body, b"beans");
}

#[test]
fn of_50_equal_uploads_at_once_one_object_stays() {
    let served = Served::new();
    for size in [5, 200_000] {
        let (name, start) = (format!("of-{size}"), Barrier::new(50));
        let statuses: Vec<_> = thread::scope(|scope| {
            let put = || {
                start.wait();
                served.put(&name, vec![b'x'; size]).status
            };
            let threads: Vec<_> = (0..50).map(|_| scope.spawn(put)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        let other = served.put(&name, vec![b'y'; size]);
        assert_eq!((other.status, served.get(&name).body), (409, vec![b'x'; size]));
    }
    assert_eq!(served.files().len(), 2);
}

#[test]
fn of_many_different_uploads_one_wins_and_nobody_sees_a_mix() {
    let served = Served::new();
    let start = Barrier::new(16);
    let put = |letter: u8| {
        start.wait();
        let status = served.put("a", vec![letter; 500_000]).status;
        let got = served.get("a");
        assert!(got.status == 200 && got.body.iter().all(|byte| *byte == got.body[0]));
        status
    };
    let statuses: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|n| scope.spawn(move || put(b'a' + n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 15, "{statuses:?}");
}

#[test]
fn an_object_that_is_deleted_by_hand_is_a_miss_and_can_be_put_anew() {
    let served = Served::new();
    served.put("a", "beans");
    assert_eq!(served.get("a").status, 200);
    fs::remove_file(served.file("a")).unwrap();
    assert_eq!((served.get("a").status, served.put("a", "bones").status), (404, 201));
    assert_eq!(served.get("a").body, b"bones");
}

#[test]
fn an_object_that_was_changed_is_put_aside_and_never_served() {
    let served = Served::new();
    served.put("a", "beans");
    assert_eq!(served.get("a").status, 200);
    fs::write(served.file("a"), "bones").unwrap();
    assert_eq!((served.get("a").status, served.get("a").status), (404, 404));
    let told = served.events().join("\n");
    assert!(told.contains("Corrupt { name: \"a\", problem: \"its SHA-256 is "), "{told}");
    let metrics = served.send(&Request::new("GET", "/metrics"));
    assert!(String::from_utf8(metrics.body).unwrap().contains("cortado_corrupt_objects_total 1\n"));
    assert_eq!(fs::read(served.file("quarantine~a")).unwrap(), b"bones");
    assert_eq!(
        (served.get("quarantine~a").status, served.put("a", "beans").status, served.get("a").status),
        (400, 201, 200)
    );
}

#[test]
fn an_object_that_was_changed_while_nobody_served_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), &[]);
    assert_eq!((program.put("a", "beans").status, program.get("a").status), (201, 200));
    drop(program);
    let objects = walk(dir.path());
    fs::write(objects.iter().find(|path| path.ends_with("a")).unwrap(), "bones").unwrap();
    assert_eq!(Program::start(dir.path(), &[]).get("a").status, 404);
}

#[test]
fn what_is_no_artifact_is_not_served_as_one() {
    let served = Served::new();
    served.put("a.tar.gz", "beans");
    assert_eq!((served.get("a.tar.gz").status, served.get("a.tar.gz").status), (404, 404));
    let (whole, dir) = (artifact(), tempfile::tempdir().unwrap());
    assert_eq!(served.put("b.tar.gz", &whole).status, 201);
    let got = served.get("b.tar.gz");
    assert_eq!(
        (got.status, got.body.as_slice(), got.header("cortado-digest").map(str::len)),
        (200, &whole[..], Some(64))
    );
    assert_eq!(served.put("c.tar.gz", &whole[..whole.len() - 20]).status, 201);
    assert_eq!(served.send(&Request::new("HEAD", "/v1/artifacts/c.tar.gz")).status, 404);
    drop(dir);
}

/// A small `.tar.gz`.
pub(super) fn artifact() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("beans"), "arabica").unwrap();
    let output = Command::new("tar").args(["-czf", "-", "-C"]).arg(dir.path()).arg("beans").output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn a_full_disk_is_said_to_be_full_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cortado")]);
    let program = Program::start_by(&mut shell, dir.path(), &[]);
    let full = program.put("large", vec![7; 300_000]);
    assert_eq!((full.status, full.detail()), (507, "the disk is full".into()));
    assert_eq!((program.put("small", "beans").status, program.get("small").status), (201, 200));
    let kept: Vec<_> = walk(&dir.path().join("objects"));
    assert!(kept.len() == 1 && kept[0].ends_with("small"), "{kept:?}");
}

#[test]
fn a_full_store_evicts_and_tells_so() {
    let served = Served::sized(1 << 20, |_| {});
    for n in 0..20 {
        assert_eq!(served.put(&format!("o{n}"), vec![7; 100_000]).status, 201);
    }
    let metrics = String::from_utf8(served.send(&Request::new("GET", "/metrics")).body).unwrap();
    let value = |name: &str| -> u64 {
        let line = metrics.lines().find(|line| line.starts_with(&format!("cortado_{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (objects, evicted) = (value("store_objects"), value("evicted_objects_total"));
    assert_eq!((objects + evicted, objects), (20, served.files().len() as u64));
    assert_eq!((value("store_size_bytes"), value("evicted_bytes_total")), (1 << 20, evicted * 100_000));
    assert!(value("store_taken_bytes") <= 1 << 20 && value("store_taken_bytes") >= objects * 100_000);
    assert!(metrics.contains("cortado_build_info{version=\""), "{metrics}");
}

#[test]
fn a_server_that_is_killed_keeps_only_what_is_complete() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path(), &[]);
    let content = |n: usize| vec![n as u8; 100_000 + n];
    let address = program.address;
    let uploads: Vec<_> = (0..100)
        .map(|n| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).ok()?;
                let content = content(n);
                let length = content.len();
                write!(stream, "PUT /v1/artifacts/o{n} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
                    .ok()?;
                let (first, rest) = content.split_at(length / 2);
                stream.write_all(first).ok()?;
                // Half of them never send the rest.
                stream.write_all(if n % 2 == 0 { rest } else { &[] }).ok()?;
                let mut answer = [0; 12];
                BufReader::new(stream).read_exact(&mut answer).ok()?;
                answer.ends_with(b"201").then_some(n)
            })
        })
        .collect();
    while walk(&dir.path().join("objects")).len() < 10 {
        thread::yield_now();
    }
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let told: Vec<_> = uploads.into_iter().filter_map(|upload| upload.join().unwrap()).collect();
    let program = Program::start(dir.path(), &[]);
    assert_eq!(program.put("after", "beans").status, 201);
    let drafts: Vec<_> = walk(&dir.path().join("writers")).into_iter().filter(|path| !path.ends_with("log")).collect();
    assert!(drafts.is_empty(), "what the dead have left: {drafts:?}");
    for n in 0..100 {
        let got: Answer = program.get(&format!("o{n}"));
        match got.status {
            200 => assert!(got.body == content(n) && n % 2 == 0, "{n}"),
            status => assert!(status == 404 && !told.contains(&n), "{n}"),
        }
    }
}

#[test]
fn strays_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    drop(Program::start(dir.path(), &[]));
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    fs::create_dir_all(dir.path().join("objects/zz/deep")).unwrap();
    fs::create_dir_all(dir.path().join("objects/00/a dir.tar.gz")).unwrap();
    fs::write(dir.path().join("objects/00/.tmp-half"), "").unwrap();
    fs::write(dir.path().join("objects/stray"), "x").unwrap();
    let program = Program::start(dir.path(), &[]);
    assert_eq!((program.put("a", "beans").status, program.get("a").body), (201, b"beans".to_vec()));
    let list = Request::new("GET", "/v1/artifacts").send(program.address).json();
    assert_eq!(list["artifacts"].as_array().unwrap().len(), 1, "{list}");
    assert!(dir.path().join("notes.txt").exists());
}

#[test]
fn two_servers_on_one_directory_serve_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Program::start(dir.path(), &[]), Program::start(dir.path(), &[]));
    assert_eq!((one.put("a", "beans").status, two.get("a").body), (201, b"beans".to_vec()));
    assert_eq!((two.put("a", "bones").status, two.put("a", "beans").status), (409, 200));
    let delete = Request::new("DELETE", "/v1/artifacts/a");
    assert_eq!((delete.send(two.address).status, one.get("a").status), (204, 404));
    assert_eq!((one.put("a", "bones").status, two.get("a").body), (201, b"bones".to_vec()));
}

#[test]
fn a_server_that_is_stopped_finishes_what_it_has_begun() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path(), &[]);
    let mut stream = connect(program.address);
    write!(stream, "PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    let mut line = [0; 25];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    let idle = connect(program.address);
    program.signal(Signal::TERM);
    program.says("stopping");
    stream.write_all(&vec![3; 200_000]).unwrap();
    assert_eq!(Answer::read(&mut BufReader::new(&stream), false).status, 201);
    program.says("stopped");
    assert!(program.child.wait().unwrap().success());
    drop(idle);
    assert_eq!(Program::start(dir.path(), &[]).get("a").body.len(), 200_000);
}

#[test]
fn of_two_servers_on_one_directory_one_may_die_and_there_is_never_too_much() {
    let dir = tempfile::tempdir().unwrap();
    let size: u64 = 4 << 20;
    let mut one = Program::start(dir.path(), &["--size", "4M", "--access-log", "none"]);
    let two = Program::start(dir.path(), &["--access-log", "none"]);
    let content = |n: usize| vec![n as u8; 60_000 + n];
    let addresses = [one.address, two.address];
    let put = |address, n: usize| {
        let mut stream = TcpStream::connect(address).ok()?;
        let content = content(n);
        write!(stream, "PUT /v1/artifacts/o{n} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", content.len())
            .ok()?;
        stream.write_all(&content).ok()?;
        let mut answer = [0; 12];
        BufReader::new(stream).read_exact(&mut answer).ok()
    };
    let taken = || {
        let files = walk(&dir.path().join("objects")).into_iter();
        files.filter_map(|path| fs::metadata(path).ok()).map(|found| found.len()).sum::<u64>()
    };
    let sent = AtomicUsize::new(0);
    let work = |worker: usize| {
        for n in 0..40 {
            _ = put(addresses[worker % 2], worker * 40 + n);
            sent.fetch_add(1, Ordering::Relaxed);
        }
    };
    let work = &work;
    thread::scope(|scope| {
        (0..8).for_each(|worker| drop(scope.spawn(move || work(worker))));
        while sent.load(Ordering::Relaxed) < 320 {
            assert!(taken() <= size);
            if sent.load(Ordering::Relaxed) > 100 {
                _ = one.child.kill();
            }
        }
    });
    assert!(!one.child.wait().unwrap().success() && taken() <= size);
    assert_eq!(two.put("after", "beans").status, 201);
    for n in 0..320 {
        let got = two.get(&format!("o{n}"));
        assert!(got.status == 404 || got.body == content(n), "{n}: {}", got.status);
    }
}

#[test]
fn a_body_that_is_longer_than_it_was_said_to_be_is_cut_and_what_follows_is_refused() {
    let served = Served::new();
    let answer = raw(
        served.address,
        b"PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbeans and more\r\n\r\n",
    );
    let answers: Vec<_> = answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!((answers, served.get("a").body), (vec!["201", "400"], b"beans".to_vec()));
}

#[test]
fn an_object_that_becomes_shorter_while_it_is_sent_breaks_off() {
    let served = Served::new();
    let size: u64 = 32 << 20;
    assert_eq!((served.put("a", vec![7; 32 << 20]).status, served.get("a").status), (201, 200));
    let mut stream = connect(served.address);
    write!(stream, "GET /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    fs::OpenOptions::new().write(true).open(served.file("a")).unwrap().set_len(1 << 20).unwrap();
    let mut rest = Vec::new();
    _ = stream.read_to_end(&mut rest);
    assert!((rest.len() as u64) < size, "{}", rest.len());
    assert_eq!(served.get("a").status, 404);
}

#[test]
fn a_store_that_is_gone_for_a_while_is_back_afterwards() {
    let served = Served::new();
    assert_eq!((served.put("a", "beans").status, served.get("a").status), (201, 200));
    let (store, aside) = (served.dir.path().join("store"), served.dir.path().join("aside"));
    fs::rename(&store, &aside).unwrap();
    assert_eq!((served.get("a").status, served.put("b", vec![1; 100_000]).status), (404, 500));
    assert!(!store.exists(), "nothing is made where a disk should be");
    fs::rename(&aside, &store).unwrap();
    assert_eq!((served.get("a").body, served.put("b", "bones").status), (b"beans".to_vec(), 201));
}

#[test]
fn what_a_full_disk_has_no_room_for_passes_through() {
    let (far, dir) = (Served::new(), tempfile::tempdir().unwrap());
    let (large, url) = (vec![7; 300_000], far.url("/v1/artifacts"));
    assert_eq!((far.put("large", &large).status, far.put("small", "beans").status), (201, 201));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cortado")]);
    let mut program = Program::start_by(&mut shell, dir.path(), &["--upstream", &url]);
    assert!(program.get("large").body == large && program.get("small").body == b"beans");
    program.says("upstream: `large` was not kept here: ");
    let kept = walk(&dir.path().join("objects"));
    assert!(kept.len() == 1 && kept[0].ends_with("small"), "{kept:?}");
}

/// Every file below a directory.
fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut dirs) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        // Drafts come and go.
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { dirs.push(path) } else { files.push(path) }
        }
    }
    files
}
