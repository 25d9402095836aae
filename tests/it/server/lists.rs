//! Lists of a store that is large: nobody waits for whoever reads them, and nobody looks any further for who has gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cortado::{Listed, Objects, Put, Store, Stored};
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::client::{Request, connect};
use super::served::Served;
use crate::tiers::{Gate, gate};

/// A store of objects that are only names, which tells how many pages of its list were asked for.
#[derive(Default)]
struct Names {
    count: usize,
    pages: AtomicUsize,
    /// What the first page waits for.
    gate: Option<Arc<Gate>>,
    /// How often all of it was asked for, and what that waits for.
    lists: AtomicUsize,
    search: Option<Arc<Gate>>,
    /// The page that cannot be read.
    broken: Option<usize>,
}

/// The name of an object: every other one is of WebDAV.
fn name(number: usize) -> String {
    match number % 2 {
        0 => format!("a{number:06}"),
        _ => format!("webdav~dir~2f{number:06}"),
    }
}

impl Store for Names {
    fn place(&self) -> String {
        "names".into()
    }

    fn get(&self, _: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        Ok(None)
    }

    fn put(&self, _: &str, _: &mut dyn Read, _: &Put) -> anyhow::Result<Stored> {
        Ok(Stored::Declined("it is full of names".into()))
    }

    fn has(&self, _: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn remove(&self, _: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        let gate = self.search.as_ref().ok_or_else(|| anyhow::anyhow!("that would be all of it at once"))?;
        gate.pass();
        Ok(Box::new(std::iter::empty()))
    }

    fn page(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Listed>> {
        let number = self.pages.fetch_add(1, Ordering::SeqCst) + 1;
        if let (1, Some(gate)) = (number, &self.gate) {
            gate.pass();
        }
        anyhow::ensure!(self.broken != Some(number), "the disk has a scratch");
        let first = after.map_or(0, |after| after[after.len() - 6..].parse::<usize>().unwrap() + 1);
        Ok((first..self.count).take(limit).map(|number| Listed::new(name(number), 1, None)).collect())
    }
}

fn serve(names: Names) -> (Served, Arc<Names>) {
    let names = Arc::new(names);
    (Served::serve(tempfile::tempdir().unwrap(), names.clone(), |_| {}), names)
}

fn propfind() -> Request {
    Request::new("PROPFIND", "/webdav/dir/").header("Depth", "1")
}

#[test]
fn lists_are_whole_however_many_pages_they_have() {
    let (served, _) = serve(Names { count: 50_001, ..Names::default() });
    let listed = String::from_utf8(served.send(&propfind()).body).unwrap();
    assert_eq!(listed.matches("<D:getcontentlength>").count(), 25_000);
    assert!(listed.contains("/webdav/dir/000001<") && listed.contains("/webdav/dir/049999<"));
    let all = String::from_utf8(served.send(&Request::new("GET", "/v1/artifacts/")).body).unwrap();
    assert_eq!((all.lines().count(), all.lines().last()), (25_002, Some("{\"end\":true}")));
    let some = served.send(&Request::new("GET", "/v1/artifacts?limit=3&prefix=a04999")).json();
    let names: Vec<_> = some["artifacts"].as_array().unwrap().iter().map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, [Some("a049990"), Some("a049992"), Some("a049994")]);
    assert_eq!(some["next"], "a049994");
}

#[test]
fn for_who_has_gone_nobody_looks_any_further() {
    let (gate, open) = gate();
    let (served, names) = serve(Names { count: 200_000, gate: Some(gate), ..Names::default() });
    let mut gone = connect(served.address);
    write!(gone, "PROPFIND /webdav/dir/ HTTP/1.1\r\nHost: x\r\nDepth: 1\r\n\r\n").unwrap();
    while names.pages.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    drop(gone);
    while !served.events().iter().any(|event| event.contains("PROPFIND") && event.contains("complete: false")) {
        thread::yield_now();
    }
    drop(open);
    assert_eq!(served.send(&propfind()).status, 207);
    assert_eq!(names.pages.load(Ordering::SeqCst), 1 + 11);
}

#[test]
fn a_list_that_breaks_off_looks_like_that_and_the_log_says_why() {
    let (served, _) = serve(Names { count: 50_000, broken: Some(2), ..Names::default() });
    let mut stream = connect(served.address);
    write!(stream, "PROPFIND /webdav/dir/ HTTP/1.1\r\nHost: x\r\nDepth: 1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    assert!(answer.len() > 1 << 20 && !answer.ends_with(b"\r\n0\r\n\r\n"), "it looks whole");
    let told = served.events().join("\n");
    assert!(told.contains("complete: false") && told.contains("the disk has a scratch"), "{told}");
}

/// A client that takes next to nothing.
fn sluggish(served: &Served) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
    rustix::net::connect(&socket, &served.address).unwrap();
    socket.into()
}

/// Waits until so many requests are being answered.
fn until_running(served: &Served, count: usize) {
    let line = format!("cortado_requests_running {}\n", count + 1);
    let metrics = || String::from_utf8(served.send(&Request::new("GET", "/metrics")).body).unwrap();
    while !metrics().contains(&line) {
        thread::yield_now();
    }
}

#[test]
fn readers_who_take_nothing_hold_up_nobody() {
    let (served, _) = serve(Names { count: 20_000, ..Names::default() });
    // More than the server has threads.
    let lists: Vec<_> = (0..400).map(|_| sluggish(&served)).collect();
    for mut list in &lists {
        write!(list, "GET /v1/artifacts/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    until_running(&served, lists.len());
    assert_eq!(served.put("a", "beans").status, 507);
    assert_eq!(served.send(&Request::new("GET", "/v1/artifacts?limit=1")).status, 200);
}

#[test]
fn searches_of_who_has_gone_do_not_pile_up() {
    let (gate, open) = gate();
    let (served, names) = serve(Names { search: Some(gate), ..Names::default() });
    let searches: Vec<_> = (0..10).map(|_| connect(served.address)).collect();
    for mut search in &searches {
        write!(search, "GET /page/objects?q=a HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    until_running(&served, searches.len());
    drop(searches);
    until_running(&served, 0);
    assert_eq!(names.lists.load(Ordering::SeqCst), 1);
    drop(open);
    assert_eq!(served.send(&Request::new("GET", "/page/objects?q=a")).status, 200);
}
