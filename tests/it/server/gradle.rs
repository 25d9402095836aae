//! Gradle's build cache: its requests, one by one.

use super::client::Request;
use super::openapi::{Case, KEY, keyed, request};
use super::served::Served;

const PATH: &str = "/gradle/{key}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let key = |key: &str| PATH.replace("{key}", key);
    keyed(PATH, [&key(KEY), &key(&"0".repeat(32)), &key("..%2f..%2fetc%2fpasswd")])
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
