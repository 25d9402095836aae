//! Limits: slow clients, many clients, and requests that are meant to be read in two ways.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Request, connect, raw};
use super::program::Program;
use super::served::Served;

/// Reads until the server closes. It has to do so long before a client gives up.
fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the server waits for ever"),
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

#[test]
fn a_head_that_drips_is_not_waited_for() {
    let served = Served::with(|options| options.head_timeout = Duration::from_secs(1));
    let mut stream = connect(served.address);
    let mut drip = stream.try_clone().unwrap();
    let dripping = thread::spawn(move || {
        let head = b"GET /v1/artifacts/a HTTP/1.1\r\nX-Slow: ";
        head.iter()
            .chain(std::iter::repeat(&b'x'))
            .take_while(|byte| drip.write_all(&[**byte]).is_ok())
            .take(1 << 22)
            .count()
    });
    let began = Instant::now();
    _ = stream.read_to_end(&mut Vec::new());
    assert!(began.elapsed() < Duration::from_secs(30));
    _ = stream.shutdown(Shutdown::Both);
    dripping.join().unwrap();
    assert_eq!(served.put("a", "beans").status, 201);
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let served = Served::with(|options| options.head_timeout = Duration::from_millis(100));
    assert_eq!(until_closed(connect(served.address)), "");
}

#[test]
fn a_body_that_stalls_is_not_waited_for() {
    let served = Served::with(|options| options.stall_timeout = Duration::from_millis(100));
    for length in [100, 1 << 20] {
        let mut stream = connect(served.address);
        write!(stream, "PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nbeans").unwrap();
        assert!(until_closed(stream).starts_with("HTTP/1.1 408"));
        assert_eq!(served.get("a").status, 404);
    }
}

#[test]
fn an_answer_that_is_not_taken_is_not_waited_for() {
    let served = Served::with_object(32 << 20, |options| options.stall_timeout = Duration::from_millis(200));
    let mut stream = connect(served.address);
    write!(stream, "GET /v1/artifacts/a HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    while !served.events().iter().any(|event| event.contains("\"GET\"") && event.contains("complete: false")) {
        thread::yield_now();
    }
    let mut taken = Vec::new();
    _ = stream.read_to_end(&mut taken);
    assert!(taken.len() < 32 << 20);
}

/// A tenth of the time that a client may do nothing.
fn moment() {
    thread::park_timeout(Duration::from_millis(20));
}

#[test]
fn a_body_that_drips_is_not_waited_for() {
    let served = Served::with(|options| {
        options.stall_timeout = Duration::from_millis(200);
        options.min_rate = 10_000;
    });
    for length in [1000, 1 << 20] {
        let mut stream = connect(served.address);
        write!(stream, "PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").unwrap();
        let mut drip = stream.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                while drip.write_all(b"x").is_ok() {
                    moment();
                }
            });
            let mut status = [0; 12];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 408");
            _ = stream.shutdown(Shutdown::Both);
        });
    }
    assert!(served.events().join("").contains("408") && served.get("a").status == 404);
}

#[test]
fn an_answer_that_is_sipped_is_not_waited_for() {
    let served = Served::with_object(32 << 20, |options| {
        options.stall_timeout = Duration::from_millis(200);
        options.min_rate = 1 << 30;
    });
    let mut stream = connect(served.address);
    write!(stream, "GET /v1/artifacts/a HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let (mut sip, mut taken) = (vec![0; 256 << 10], 0);
    while let Ok(count @ 1..) = stream.read(&mut sip) {
        taken += count;
        moment();
    }
    assert!(taken < 32 << 20, "{taken}");
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u8;
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

#[test]
fn a_stream_of_which_nothing_is_taken_is_not_waited_for() {
    let served = Served::with_object(1 << 20, |options| {
        options.stall_timeout = Duration::from_millis(200);
        options.min_rate = 1 << 30;
    });
    let mut stream = connect(served.address);
    // The window of each stream has 0 bytes.
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let path = "/v1/artifacts/a";
    // GET, http, and two fields by their index in the static table (RFC 7541).
    let head = [&[0x82, 0x86, 0x04, path.len() as u8], path.as_bytes(), &[0x01, 4], b"here"].concat();
    let request = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..], &frame(1, 5, 1, &head)].concat();
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < 1000 && answer.windows(9).any(|frame| frame[3..5] == [1, 4]), "a head, and no more");
    // It is told of when it is over, which a client may know a moment earlier.
    let is_told = || served.events().iter().any(|event| event.contains("\"GET\"") && event.contains("complete: false"));
    let begun = Instant::now();
    while !is_told() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    assert!(is_told(), "{:?}", served.events());
}

#[test]
fn clients_beyond_the_limit_wait() {
    let served = Served::with(|options| options.max_connections = 2);
    let (one, two) = (connect(served.address), connect(served.address));
    let mut three = connect(served.address);
    write!(three, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    three.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(three.read(&mut [0]).is_err(), "there is no place");
    drop(one);
    three.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert!(until_closed(three).starts_with("HTTP/1.1 200"));
    drop(two);
}

#[test]
fn thousands_of_idle_connections_are_no_load() {
    let dir = tempfile::tempdir().unwrap();
    // Both ends of a connection take a descriptor; ours may have to do with few.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let count = limit.current.unwrap_or(u64::MAX).saturating_sub(300).min(10_000);
    let program = Program::start(dir.path(), &["--access-log", "none"]);
    let idle: Vec<_> = (0..count).map(|_| connect(program.address)).collect();
    assert_eq!((program.put("a", "beans").status, program.get("a").body), (201, b"beans".to_vec()));
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 256 << 10, "{resident} kB for {} connections", idle.len());
}

#[test]
fn requests_that_can_be_read_in_two_ways_are_refused() {
    let served = Served::new();
    let inner = "PUT /v1/artifacts/smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbeans";
    let heads = [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5\r\nContent-Length : 0\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        " Content-Length: 5\r\n",
        "X: a\r\n Content-Length: 5\r\n",
        "X\r\n",
        "X: a\0b\r\n",
    ];
    for head in heads {
        let text = format!("PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\n{inner}");
        let answer = raw(served.address, text.as_bytes());
        let answers: Vec<_> = answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
        assert!(answers.iter().all(|status| !status.starts_with('2')), "{head:?}: {answers:?}");
        assert_eq!(served.get("smuggled").status, 404, "{head:?}: {answers:?}");
    }
}

#[test]
fn of_two_lengths_the_one_in_chunks_counts_and_nothing_follows() {
    let served = Served::new();
    let inner = "PUT /v1/artifacts/smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbeans";
    for head in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"]
    {
        let text = format!("PUT /v1/artifacts/a HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\n{inner}");
        raw(served.address, text.as_bytes());
        assert_eq!(served.get("smuggled").status, 404, "{head:?}");
    }
}

#[test]
fn heads_that_are_too_much_are_refused() {
    let served = Served::new();
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    for head in [many, long] {
        let answer = raw(served.address, format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{head}\r\n").as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    assert_eq!(served.send(&Request::new("GET", "/healthz")).status, 200);
}
