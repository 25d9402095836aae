//! Bazel's cache: its requests, one by one.

use std::fs;

use cortado::Digest;

use super::client::{Answer, Request};
use super::openapi::{Case, KEY, keyed, request};
use super::served::Served;

const RESULT: &str = "/ac/{key}";
const RESULT_OF_INSTANCE: &str = "/{instance}/ac/{key}";
const CONTENT: &str = "/cas/{key}";
const CONTENT_OF_INSTANCE: &str = "/{instance}/cas/{key}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let zeros = "0".repeat(64);
    let result =
        |prefix: &str| [format!("{prefix}/ac/{KEY}"), format!("{prefix}/ac/{zeros}"), format!("{prefix}/ac/..")];
    let mut cases = vec![(("GET", "/status", 200), request("GET", "/status"))];
    for (route, prefix) in [(RESULT, ""), (RESULT_OF_INSTANCE, "/shop")] {
        cases.extend(keyed(route, result(prefix).each_ref().map(String::as_str)));
    }
    cases.extend(contents(CONTENT, "", b"beans"));
    cases.extend(contents(CONTENT_OF_INSTANCE, "/shop", b"bones"));
    cases
}

fn contents(route: &'static str, prefix: &str, content: &[u8]) -> Vec<(Case, Request)> {
    let path = |content: &[u8]| format!("{prefix}/cas/{}", Digest::of(content));
    let put = |content: &[u8]| Request::new("PUT", &path(content)).body(content);
    let large = vec![0; 2 << 20];
    let paths = [path(content), path(b"never"), format!("{prefix}/cas/beans")];
    let mut cases = keyed(route, paths.each_ref().map(String::as_str));
    // What a key of a result takes, one of a content need not.
    for ((method, _, status), request) in &mut cases {
        match (*method, *status) {
            ("PUT", 201 | 412) => *request = request.clone().body(content),
            ("PUT", 507) => *request = put(&large),
            _ => {}
        }
    }
    cases.push((("PUT", route, 200), put(content)));
    cases.push((("PUT", route, 400), put(content).body("other")));
    cases
}

fn put(served: &Served, path: &str, body: impl AsRef<[u8]>) -> u16 {
    served.send(&Request::new("PUT", path).body(body)).status
}

fn get(served: &Served, path: &str) -> Answer {
    served.send(&Request::new("GET", path))
}

fn content(content: impl AsRef<[u8]>) -> String {
    format!("/cas/{}", Digest::of(content.as_ref()))
}

#[test]
fn a_content_is_what_its_key_says() {
    let served = Served::new();
    let large = vec![7; 300_000];
    for bytes in [&b"beans"[..], &large] {
        let path = content(bytes);
        for wrong in [&b""[..], b"bones", &vec![7; 299_999]] {
            assert_eq!(put(&served, &path, wrong), 400);
        }
        assert!(get(&served, &path).status == 404 && served.files().is_empty());
        assert_eq!(
            (put(&served, &path, bytes), put(&served, &path, bytes), put(&served, &path, "bones")),
            (201, 200, 400)
        );
        assert_eq!(get(&served, &path).body, bytes);
        fs::remove_file(served.file(&format!("bazel~cas~2f{}", Digest::of(bytes)))).unwrap();
    }
}

#[test]
fn nothing_is_always_there() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:bazel=reader"], |_| {});
    for path in [content(""), format!("/shop{}", content(""))] {
        let ask = |method: &str| served.send(&Request::new(method, &path).header("Authorization", "Bearer espresso"));
        assert_eq!((ask("GET").status, ask("GET").body.len(), ask("HEAD").status), (200, 0, 200));
        assert_eq!(ask("GET").header("content-length"), Some("0"));
        assert_eq!(get(&served, &path).status, 401);
    }
    assert!(served.files().is_empty());
}

#[test]
fn the_last_result_counts_and_is_nobodys_business() {
    let served = Served::new();
    for result in [&b"{\"moon\": 1}"[..], b"\x0a\x05beans", b""] {
        assert_eq!(put(&served, &format!("/ac/{KEY}"), result), 201);
        assert_eq!(get(&served, &format!("/ac/{KEY}")).body, result);
    }
}

#[test]
fn instances_share_contents_and_no_results() {
    let served = Served::new();
    let path = content("beans");
    assert_eq!((put(&served, &format!("/shop{path}"), "beans"), put(&served, &path, "beans")), (201, 200));
    assert_eq!(get(&served, &format!("/bar{path}")).body, b"beans");
    assert_eq!(
        (put(&served, &format!("/shop/ac/{KEY}"), "one"), put(&served, &format!("/bar/ac/{KEY}"), "two")),
        (201, 201)
    );
    let result = |prefix: &str| get(&served, &format!("{prefix}/ac/{KEY}")).body;
    assert_eq!(
        (result("/shop"), result("/bar"), get(&served, &format!("/ac/{KEY}")).status),
        (b"one".into(), b"two".into(), 404)
    );
}

#[test]
fn bad_keys_are_refused() {
    let served = Served::new();
    let (upper, sha1, sha512, long) = ("E3".repeat(32), "0".repeat(40), "0".repeat(128), "0".repeat(4096));
    let keys = [&upper, &sha1, &sha512, &long, "..", "%2e%2e", "a%2Fb", "a%00b", "%ff", "beans"];
    for path in keys.iter().flat_map(|key| [format!("/ac/{key}"), format!("/cas/{key}"), format!("/shop/cas/{key}")]) {
        assert_eq!((get(&served, &path).status, put(&served, &path, "")), (400, 400), "{path}");
    }
    for instance in ["..", ".", "a%2fb", "%00", "%ff", "a~b", &"x".repeat(65)] {
        let path = format!("/{instance}/cas/{KEY}");
        assert_eq!((get(&served, &path).status, put(&served, &path, "")), (400, 400), "{path}");
    }
    assert!(served.files().is_empty());
}

#[test]
fn the_length_is_said_beforehand() {
    let served = Served::new();
    let chunked =
        Request::new("PUT", &content("beans")).header("Transfer-Encoding", "chunked").body("5\r\nbeans\r\n0\r\n\r\n");
    assert_eq!(served.send(&chunked).status, 411);
    let compressed = Request::new("PUT", &format!("/ac/{KEY}")).header("Content-Encoding", "zstd").body("beans");
    assert_eq!(served.send(&compressed).status, 415);
    let part = Request::new("PUT", &format!("/ac/{KEY}")).header("Content-Range", "bytes 0-4/10").body("beans");
    assert_eq!(served.send(&part).status, 400);
    assert!(served.files().is_empty());
}

#[test]
fn what_is_there_need_not_be_sent() {
    let served = Served::new();
    assert_eq!(put(&served, &content("beans"), "beans"), 201);
    // It asks first, and never sends a body.
    let asked = Request::new("PUT", &content("beans")).header("Expect", "100-continue").header("Content-Length", "5");
    assert_eq!(served.send(&asked).status, 200);
}

#[test]
fn a_content_that_rotted_is_not_served_and_comes_back() {
    let served = Served::new();
    let (path, name) = (content("beans"), format!("bazel~cas~2f{}", Digest::of("beans")));
    let rot = || {
        let file = served.file(&name);
        fs::remove_file(&file).unwrap();
        // Another file, of which nothing was noted.
        fs::write(file, "bones").unwrap();
    };
    assert_eq!(put(&served, &path, "beans"), 201);
    rot();
    assert_eq!(get(&served, &path).status, 404);
    assert!(served.events().iter().any(|event| event.starts_with("Corrupt")), "{:?}", served.events());
    assert_eq!((put(&served, &path, "beans"), get(&served, &path).body), (201, b"beans".to_vec()));
    rot();
    assert_eq!((put(&served, &path, "beans"), get(&served, &path).body), (201, b"beans".to_vec()));
}

#[test]
fn the_status_is_that_of_a_running_server() {
    let status = get(&Served::new(), "/status").json();
    assert!(status["ServerTime"].as_u64().is_some_and(|time| time > 1_700_000_000), "{status}");
}

/// A field of a message of Protocol Buffers.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// A `Digest`, and what may have one, with its number there.
fn digest(content: impl AsRef<[u8]>) -> Vec<u8> {
    field(1, Digest::of(content).to_string().as_bytes())
}

#[test]
fn a_result_that_has_lost_a_content_is_a_miss() {
    let served = Served::new();
    let tree = field(1, &field(1, &[field(1, b"file"), field(2, &digest("deep"))].concat()));
    let file = field(2, &[field(1, b"a"), field(2, &digest("beans"))].concat());
    let directory = field(3, &[field(1, b"b"), field(3, &digest(&tree))].concat());
    let result = [file, directory, field(6, &digest("said")), field(8, &digest(""))].concat();
    assert_eq!(put(&served, &format!("/ac/{KEY}"), &result), 201);
    let is_given = || {
        let answer = get(&served, &format!("/ac/{KEY}"));
        assert!(answer.status == 404 || answer.body == result);
        answer.status == 200
    };
    for named in [&b"beans"[..], &tree, b"deep", b"said"] {
        assert!(!is_given());
        assert_eq!(put(&served, &content(named), named), 201);
    }
    assert!(is_given());
    for named in [&b"beans"[..], &tree, b"deep", b"said"] {
        fs::remove_file(served.file(&format!("bazel~cas~2f{}", Digest::of(named)))).unwrap();
        assert!(!is_given());
        assert_eq!((put(&served, &content(named), named), is_given()), (201, true));
    }
}

#[test]
fn a_reader_may_not_write() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:bazel=reader,ccache=admin"], |_| {});
    let send = |method: &str, route: &str| {
        served.send(&request(method, route).header("Authorization", "Bearer espresso")).status
    };
    for route in [RESULT, RESULT_OF_INSTANCE, CONTENT, CONTENT_OF_INSTANCE] {
        assert_eq!(send("PUT", route), 403, "{route}");
        assert_ne!(send("GET", route), 403, "{route}");
    }
}
