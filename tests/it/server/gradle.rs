//! Gradle's build cache: its requests, one by one.

use super::client::Request;
use super::openapi::{Case, request};
use super::served::Served;

const PATH: &str = "/gradle/{key}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let with = |method: &str, key: &str| request(method, &PATH.replace("{key}", key));
    let (get, put) = (|| request("GET", PATH), || request("PUT", PATH));
    vec![
        (("PUT", PATH, 201), put()),
        (("PUT", PATH, 400), with("PUT", "beans")),
        (("PUT", PATH, 411), Request::new("PUT", &PATH.replace("{key}", super::openapi::KEY))),
        (("PUT", PATH, 413), put().body(vec![0; (4 << 20) + 1])),
        (("PUT", PATH, 507), put().body(vec![0; 2 << 20])),
        (("GET", PATH, 200), get()),
        (("GET", PATH, 206), get().header("Range", "bytes=0-0")),
        (("GET", PATH, 304), get().header("If-None-Match", "*")),
        (("GET", PATH, 416), get().header("Range", "bytes=5-")),
        (("GET", PATH, 400), with("GET", "..%2f..%2fetc%2fpasswd")),
        (("GET", PATH, 404), with("GET", &"0".repeat(32))),
        (("HEAD", PATH, 200), request("HEAD", PATH)),
        (("HEAD", PATH, 400), with("HEAD", &"0".repeat(4096))),
        (("HEAD", PATH, 404), with("HEAD", &"0".repeat(32))),
    ]
}

#[test]
fn outputs_come_back_and_the_last_ones_count() {
    let served = Served::new();
    let put = |body: &str| {
        let request = Request::new("PUT", "/gradle/0123456789abcdef0123456789abcdef");
        served.send(&request.header("Content-Type", "application/vnd.gradle.build-cache-artifact.v2").body(body)).status
    };
    let get = || {
        let accept = "application/vnd.gradle.build-cache-artifact.v2, */*";
        let request = Request::new("GET", "/gradle/0123456789abcdef0123456789abcdef");
        let answer = served.send(&request.header("Accept", accept));
        (answer.status, answer.body)
    };
    assert_eq!(get().0, 404);
    assert_eq!((put("one"), get()), (201, (200, b"one".to_vec())));
    assert_eq!((put("two"), get()), (201, (200, b"two".to_vec())));
    assert_eq!(served.get("0123456789abcdef0123456789abcdef").status, 404);
}

#[test]
fn a_reader_may_not_write() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:gradle=reader,artifacts=admin"], |_| {});
    let send = |method: &str| {
        let request = request(method, PATH).header("Authorization", "Bearer espresso");
        served.send(&request).status
    };
    assert_eq!((send("GET"), send("PUT")), (404, 403));
}
