//! ccache's remote storage: its requests, one by one.

use super::client::Request;
use super::openapi::{Case, keyed, request};
use super::served::Served;

const FLAT: &str = "/ccache/{key}";
const SHARDED: &str = "/ccache/{shard}/{key}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let mut cases = Vec::new();
    for (route, prefix) in [(FLAT, "/ccache/"), (SHARDED, "/ccache/48/")] {
        let [free, absent, bad] = ["6dfvvo5flvarmrbnhku4k01e2in9eba", "6dfvvo5flvarmrbnhku4k01e2in9ebb", "..%2fbeans"]
            .map(|key| format!("{prefix}{key}"));
        cases.extend(keyed(route, [&free, &absent, &bad]));
        cases.push((("DELETE", route, 204), request("DELETE", &free)));
        cases.push((("DELETE", route, 404), request("DELETE", &free)));
        cases.push((("DELETE", route, 400), request("DELETE", &bad)));
    }
    cases
}

#[test]
fn layouts_have_the_same_objects() {
    let served = Served::new();
    let send = |method: &str, path: &str, body: &str| served.send(&Request::new(method, path).body(body));
    let (flat, sharded) = ("/ccache/486dfvvo5flvarmrbnhku4k01e2in9eba", "/ccache/48/6dfvvo5flvarmrbnhku4k01e2in9eba");
    assert_eq!((send("PUT", flat, "one").status, send("GET", sharded, "").body), (201, b"one".to_vec()));
    assert_eq!((send("PUT", sharded, "two").status, send("GET", flat, "").body), (201, b"two".to_vec()));
    assert_eq!((send("DELETE", flat, "").status, send("GET", sharded, "").status), (204, 404));
}

#[test]
fn bad_keys_are_refused() {
    let served = Served::new();
    let long = "0".repeat(4096);
    let good = "6dfvvo5flvarmrbnhku4k01e2in9eba";
    let upper = good.to_uppercase();
    for path in
        [&long, &upper, "..", "short", "a%2fb", &format!("../{good}"), &format!("abc/{good}"), &format!("%00{good}")]
    {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = served.send(&Request::new(method, &format!("/ccache/{path}")).body("beans"));
            assert_eq!(answer.status, 400, "{method} {path}");
        }
    }
    assert!(served.files().is_empty());
}

#[test]
fn a_reader_may_neither_write_nor_remove() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:ccache=reader,bazel=admin"], |_| {});
    let send = |method: &str| served.send(&request(method, FLAT).header("Authorization", "Bearer espresso")).status;
    assert_eq!((send("GET"), send("PUT"), send("DELETE")), (404, 403, 403));
}
