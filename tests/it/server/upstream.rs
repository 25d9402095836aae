//! The upstream: what a server lacks it brings from behind, once, and what it is given it hands on.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cortado::stores::Http;
use cortado::{Digest, Provenance, Put, Store, Tier, TierMode};

use super::client::{Request, connect};
use super::faults::artifact;
use super::served::Served;
use crate::tiers::{Manner, Spy, gate};

const ROOM: u64 = 1 << 30;

fn far(spy: &Arc<Spy>) -> Tier {
    Tier::far("team", spy.clone())
}

fn put(spy: &Spy, name: &str, content: &[u8]) {
    let mut options = Put::default();
    options.provenance = Provenance::new().task("zlib");
    spy.put(name, &mut &content[..], &options).unwrap();
}

/// Waits until something is so.
fn until(so: impl Fn() -> bool) {
    while !so() {
        thread::yield_now();
    }
}

#[test]
fn what_is_missing_is_brought_once_for_all_who_ask_and_kept() {
    let (spy, content) = (Spy::new(), vec![7; 300_000]);
    put(&spy, "a", &content);
    let served = Served::before(far(&spy), ROOM);
    let (gate, open) = gate();
    spy.behaves(Manner::Hangs(gate));
    thread::scope(|scope| {
        let askers: Vec<_> = (0..50).map(|_| scope.spawn(|| served.get("a"))).collect();
        until(|| spy.asked("get") > 0);
        drop(open);
        for asker in askers {
            assert!(asker.join().unwrap().body == content);
        }
    });
    assert_eq!(spy.asked("get"), 1);
    let part = served.send(&Request::new("GET", "/v1/artifacts/a").header("Range", "bytes=0-9"));
    assert_eq!((part.status, part.body.len(), spy.asked("get")), (206, 10, 1));
    let head = served.send(&Request::new("HEAD", "/v1/artifacts/a"));
    assert_eq!((head.header("content-length"), head.header("cortado-task")), (Some("300000"), Some("zlib")));
    assert_eq!((served.get("b").status, served.files().len()), (404, 1));
    let metrics = String::from_utf8(served.send(&Request::new("GET", "/metrics")).body).unwrap();
    assert!(metrics.contains("cortado_upstream_requests_total{result=\"hit\"} 1\n"), "{metrics}");
}

#[test]
fn what_is_uploaded_goes_upstream_with_what_is_known_of_it() {
    let spy = Spy::new();
    let served = Served::before(far(&spy), ROOM);
    for size in [5, 300_000] {
        let name = format!("of-{size}");
        let put = Request::new("PUT", &format!("/v1/artifacts/{name}")).header("Cortado-Task", "zlib");
        assert_eq!(served.send(&put.body(vec![3; size])).status, 201);
        until(|| spy.describe(&name).unwrap().is_some());
        let known = spy.describe(&name).unwrap().unwrap();
        assert_eq!((known.size, known.provenance.task.as_deref()), (size as u64, Some("zlib")));
    }
    let delete = |name: &str| served.send(&Request::new("DELETE", &format!("/v1/artifacts/{name}"))).status;
    assert_eq!((delete("of-5"), delete("of-5"), served.get("of-5").status), (204, 404, 404));
    assert_eq!(spy.contents().len(), 1);
}

#[test]
fn an_upload_asks_the_upstream_for_nothing() {
    let spy = Spy::new();
    let served = Served::before(far(&spy), ROOM);
    let path = format!("/cas/{}", Digest::of("beans"));
    let once = Request::new("PUT", "/v1/artifacts/a").header("If-None-Match", "*");
    for put in [Request::new("PUT", &path), Request::new("PUT", "/webdav/a"), once] {
        assert_eq!(served.send(&put.body("beans")).status, 201);
    }
    assert_eq!(spy.asked("get"), 0);
}

#[test]
fn an_upstream_that_is_only_read_gets_nothing() {
    let spy = Spy::new();
    put(&spy, "a", b"beans");
    let mut served = Served::before(far(&spy).mode(TierMode::Read), ROOM);
    assert_eq!((served.put("b", "bones").status, served.get("a").status), (201, 200));
    served.stop();
    assert_eq!(spy.contents().len(), 1);
}

#[test]
fn a_server_that_is_stopped_hands_on_what_it_has_taken() {
    let spy = Spy::new();
    let (gate, open) = gate();
    spy.behaves(Manner::HangsWhenPut(gate));
    let mut served = Served::before(far(&spy), ROOM);
    assert_eq!(served.put("a", "beans").status, 201);
    thread::scope(|scope| {
        scope.spawn(|| {
            until(|| spy.asked("put") > 0);
            drop(open);
        });
        served.stop();
    });
    assert_eq!(spy.contents(), [b"beans"]);
}

#[test]
fn an_upstream_that_refuses_is_a_miss_until_it_answers_again() {
    let spy = Spy::new();
    put(&spy, "a", b"beans");
    spy.behaves(Manner::Fails(io::ErrorKind::ConnectionRefused));
    let served = Served::before(far(&spy).breaker(2, Duration::ZERO), ROOM);
    for _ in 0..5 {
        assert_eq!(served.get("a").status, 404);
    }
    assert_eq!((served.put("b", "bones").status, served.get("b").status), (201, 200));
    spy.behaves(Manner::Good);
    until(|| served.get("a").status == 200);
    let told: Vec<_> = served.events().into_iter().filter(|event| event.starts_with("Upstream {")).collect();
    assert!(told[0].contains("problem: Some(") && told.last().unwrap().contains("problem: None"), "{told:?}");
}

#[test]
fn a_silent_upstream_is_waited_for_once() {
    let spy = Spy::new();
    let (gate, _open) = gate();
    spy.behaves(Manner::Hangs(gate));
    let tier = far(&spy).timeout(Some(Duration::from_millis(300))).breaker(3, Duration::from_secs(3600));
    let served = Served::before(tier, ROOM);
    let began = Instant::now();
    thread::scope(|scope| {
        for n in 0..40 {
            let served = &served;
            scope.spawn(move || assert_eq!(served.get(&format!("a{n}")).status, 404));
        }
    });
    assert_eq!((served.put("b", "beans").status, served.get("b").status, served.get("c").status), (201, 200, 404));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(spy.asked("get") <= 8, "it bears 8 at once");
}

#[test]
fn a_long_transfer_does_not_hold_up_the_others_for_ever() {
    let spy = Spy::new();
    ["slow", "b"].iter().for_each(|name| put(&spy, name, &[7; 10_000]));
    spy.behaves(Manner::Drips);
    let tier = far(&spy).concurrency(1).timeout(Some(Duration::from_millis(300)));
    let served = Served::before(tier, ROOM);
    thread::scope(|scope| {
        let slow = scope.spawn(|| served.get("slow").status);
        until(|| spy.asked("get") > 0);
        assert_eq!(served.get("b").status, 404);
        assert_eq!(slow.join().unwrap(), 404, "a drip is found out, too");
    });
    assert_eq!((served.files().len(), served.put("b", "beans").status), (0, 201));
}

#[test]
fn damage_is_neither_kept_nor_served() {
    let spy = Spy::new();
    let whole = artifact();
    put(&spy, "a.tar.gz", &whole);
    let served = Served::before(far(&spy).breaker(1000, Duration::ZERO), ROOM);
    for manner in [Manner::Halves, Manner::Breaks] {
        spy.behaves(manner);
        assert_eq!(served.get("a.tar.gz").status, 404);
        until(|| served.files().is_empty());
    }
    let told = served.events().join("\n");
    assert!(told.contains("NotBrought { name: \"a.tar.gz\", problem: \"the cached artifact is corrupt: "), "{told}");
    spy.behaves(Manner::Good);
    let got = served.get("a.tar.gz");
    assert!(got.body == whole && got.header("cortado-digest").is_some());
}

#[test]
fn a_content_of_bazel_that_is_another_upstream_is_neither_kept_nor_served() {
    let spy = Spy::new();
    put(&spy, &format!("bazel~cas~2f{}", Digest::of("beans")), b"bones");
    let served = Served::before(far(&spy), ROOM);
    let path = format!("/cas/{}", Digest::of("beans"));
    assert_eq!(served.send(&Request::new("GET", &path)).status, 404);
    assert!(served.files().is_empty());
    assert!(served.events().iter().any(|event| event.starts_with("NotBrought")), "{:?}", served.events());
}

#[test]
fn what_there_is_no_room_for_passes_through() {
    let (spy, content) = (Spy::new(), (0..3_000_000_u32).map(|n| (n / 7) as u8).collect::<Vec<_>>());
    put(&spy, "a", &content);
    let served = Served::before(far(&spy), 1 << 20);
    assert!(served.get("a").body == content && served.get("a").body == content);
    assert_eq!(served.send(&Request::new("HEAD", "/v1/artifacts/a")).status, 200);
    assert!(served.files().is_empty());
    assert_eq!((served.put("b", "bones").status, served.get("b").status), (201, 200));
}

#[test]
fn what_passes_through_and_proves_damaged_breaks_off() {
    let spy = Spy::new();
    put(&spy, "a.tar.gz", &[&artifact()[..], &vec![9; 2 << 20]].concat());
    let served = Served::before(far(&spy), 1 << 20);
    let mut stream = connect(served.address);
    io::Write::write_all(&mut stream, b"GET /v1/artifacts/a.tar.gz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    _ = io::Read::read_to_end(&mut stream, &mut answer);
    assert!(!answer.ends_with(b"\r\n0\r\n\r\n"), "it looks whole");
}

/// A field of a message of Protocol Buffers.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// A result of Bazel that names contents as its output files, and the contents.
fn result(count: usize) -> (Vec<u8>, Vec<String>) {
    let contents: Vec<_> = (0..count).map(|number| format!("bean {number}")).collect();
    let file = |content: &String| field(2, &field(2, &field(1, Digest::of(content).to_string().as_bytes())));
    (contents.iter().flat_map(file).collect(), contents)
}

#[test]
fn what_a_result_of_bazel_names_is_brought_side_by_side() {
    let (spy, (result, contents)) = (Spy::new(), result(40));
    for content in &contents {
        put(&spy, &format!("bazel~cas~2f{}", Digest::of(content)), content.as_bytes());
    }
    let served = Served::before(far(&spy).concurrency(5), ROOM);
    let path = format!("/ac/{}", "0".repeat(64));
    assert_eq!(served.send(&Request::new("PUT", &path).body(&result)).status, 201);
    let (gate, open) = gate();
    spy.behaves(Manner::Hangs(gate));
    thread::scope(|scope| {
        let asker = scope.spawn(|| served.send(&Request::new("GET", &path)));
        until(|| spy.asked("get") == 5 || asker.is_finished());
        drop(open);
        assert!(asker.join().unwrap().body == result);
    });
    assert_eq!((spy.asked("get"), served.files().len()), (40, 41));
}

#[test]
fn a_result_of_bazel_that_has_lost_something_upstream_is_a_miss() {
    let (spy, (result, contents)) = (Spy::new(), result(40));
    for content in &contents[1..] {
        put(&spy, &format!("bazel~cas~2f{}", Digest::of(content)), content.as_bytes());
    }
    let served = Served::before(far(&spy).concurrency(1), ROOM);
    let path = format!("/ac/{}", "0".repeat(64));
    assert_eq!(served.send(&Request::new("PUT", &path).body(&result)).status, 201);
    assert_eq!(served.send(&Request::new("GET", &path)).status, 404);
    put(&spy, &format!("bazel~cas~2f{}", Digest::of(&contents[0])), contents[0].as_bytes());
    assert!(served.send(&Request::new("GET", &path)).body == result);
}

#[test]
fn servers_stand_in_line() {
    let far = Served::new();
    let store = Http::new(far.url("/v1/artifacts")).open().unwrap();
    let near = Served::before(Tier::far("far", store), ROOM);
    assert_eq!((far.put("a", "beans").status, near.get("a").body), (201, b"beans".to_vec()));
    assert_eq!((near.put("b", "bones").status, near.put("a", "bones").status), (201, 409));
    until(|| far.get("b").status == 200);
}

#[test]
fn servers_in_line_hand_on_what_other_tools_keep() {
    let far = Served::guarded(&["line:{TOKEN}TOKEN:gradle=admin"], |_| {});
    let mut store = Http::new(far.url("/v1/artifacts"));
    store.token = Some("espresso".to_owned().into());
    let near = Served::before(Tier::far("far", store.open().unwrap()), ROOM);
    let [one, two] = ["0", "1"].map(|digit| format!("/gradle/{}", digit.repeat(32)));
    let known = |method: &str, path: &str| Request::new(method, path).header("Authorization", "Bearer espresso");
    assert_eq!(far.send(&known("PUT", &one).body("beans")).status, 201);
    assert_eq!(near.send(&Request::new("GET", &one)).body, b"beans");
    assert_eq!(near.send(&Request::new("PUT", &two).body("bones")).status, 201);
    until(|| far.send(&known("GET", &two)).body == b"bones");
    assert_eq!((near.put("a", "x").status, far.files().len()), (201, 2), "of artifacts it has no rights");
}

#[test]
fn servers_in_line_hand_on_what_is_said_of_an_artifact() {
    let far = Served::new();
    let store = Http::new(far.url("/v1/artifacts")).open().unwrap();
    let near = Served::before(Tier::far("far", store), ROOM);
    let put = |served: &Served, name: &str, tag: &str| {
        let request = Request::new("PUT", &format!("/v8/artifacts/{name}?slug=shop"));
        served.send(&request.header("x-artifact-tag", tag).header("x-artifact-duration", "7").body(name)).status
    };
    let get = |served: &Served, name: &str| {
        let answer = served.send(&Request::new("GET", &format!("/v8/artifacts/{name}?slug=shop")));
        let told = |header: &str| answer.header(header).map(str::to_owned);
        (told("x-artifact-tag"), told("x-artifact-duration"), answer.body)
    };
    let told = |tag: &str, name: &str| (Some(tag.to_owned()), Some("7".to_owned()), name.as_bytes().to_vec());
    assert_eq!((put(&far, "one", "a"), get(&near, "one")), (202, told("a", "one")));
    assert_eq!(put(&near, "two", "b"), 202);
    until(|| get(&far, "two") == told("b", "two"));
    assert_eq!(put(&near, "two", "c"), 202);
    until(|| get(&far, "two") == told("c", "two"));
}

#[test]
fn whoever_writes_for_another_tool_without_its_protocol_is_its_admin() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:gradle=writer"], |_| {});
    let send = |method: &str, name: &str| {
        let request = Request::new(method, &format!("/v1/artifacts/{name}")).header("Authorization", "Bearer espresso");
        served.send(&if method == "PUT" { request.body("beans") } else { request }).status
    };
    assert_eq!((send("GET", "gradle~a"), send("HEAD", "gradle~a"), send("GET", "turbo~a")), (404, 404, 403));
    assert_eq!((send("PUT", "gradle~a"), send("DELETE", "gradle~a"), send("GET", "a")), (403, 403, 403));
}
