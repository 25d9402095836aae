//! The description of the server, held against a running one: whatever it lists is made to happen.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::client::Request;
use super::served::Served;
use super::{bazel, ccache, curdling, gradle, nx, page, turbo, webdav};

/// A route and a status.
pub(super) type Case = (&'static str, &'static str, u16);

const OBJECT: &str = "/v1/artifacts/{name}";
const WRONG: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

/// A key that every protocol takes.
pub(super) const KEY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn described() -> BTreeSet<(String, String, u16)> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/server.openapi.json")).unwrap();
    let description: Value = serde_json::from_str(&text).unwrap();
    let mut cases = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap();
        // OpenAPI 3.1 knows the methods of HTTP alone; 3.2 has a place for others, of that name without the `x-`.
        let more = methods.get("x-additionalOperations").and_then(Value::as_object).into_iter().flatten();
        let known = methods.iter().filter(|(word, _)| *word != "parameters" && !word.starts_with("x-"));
        for (method, operation) in known.chain(more) {
            for status in operation["responses"].as_object().unwrap().keys() {
                cases.insert((method.to_uppercase(), path.clone(), status.parse().unwrap()));
            }
        }
    }
    cases
}

pub(super) fn request(method: &str, path: &str) -> Request {
    let path =
        path.replace("{name}", "a").replace("{key}", KEY).replace("{shard}", "ab").replace("{file}", "a-1.0.zip");
    let request = Request::new(method, &path.replace("{instance}", "shop").replace("{path}", "a/b"));
    if ["PUT", "POST"].contains(&method) { request.body("beans") } else { request }
}

/// What GET, HEAD and PUT of an object by its key answer: of one that is free to be taken, of another that is never there, and
/// of what is no key.
pub(super) fn keyed(route: &'static str, [free, absent, bad]: [&str; 3]) -> Vec<(Case, Request)> {
    let (free, absent, bad) = (free.to_owned(), absent.to_owned(), bad.to_owned());
    let (get, put) = (|| request("GET", &free), || request("PUT", &free));
    vec![
        (("PUT", route, 201), put()),
        (("PUT", route, 400), request("PUT", &bad)),
        (("PUT", route, 411), Request::new("PUT", &free)),
        (("PUT", route, 412), put().header("If-None-Match", "*")),
        (("PUT", route, 413), put().body(vec![0; (4 << 20) + 1])),
        (("PUT", route, 507), put().body(vec![0; 2 << 20])),
        (("GET", route, 200), get()),
        (("GET", route, 206), get().header("Range", "bytes=0-0")),
        (("GET", route, 304), get().header("If-None-Match", "*")),
        (("GET", route, 416), get().header("Range", "bytes=5-")),
        (("GET", route, 400), request("GET", &bad)),
        (("GET", route, 404), request("GET", &absent)),
        (("HEAD", route, 200), request("HEAD", &free)),
        (("HEAD", route, 400), request("HEAD", &bad)),
        (("HEAD", route, 404), request("HEAD", &absent)),
    ]
}

/// What a server that lets everybody in answers. It has a MiB of room, and takes objects of up to 4 MiB.
fn open() -> Vec<(Case, Request)> {
    let object = |method: &str, name: &str| request(method, &format!("/v1/artifacts/{name}"));
    let get = || object("GET", "a");
    vec![
        (("GET", "/healthz", 200), request("GET", "/healthz")),
        (("GET", "/metrics", 200), request("GET", "/metrics")),
        (("PUT", OBJECT, 201), object("PUT", "a")),
        (("PUT", OBJECT, 200), object("PUT", "a")),
        (("PUT", OBJECT, 409), object("PUT", "a").body("bones")),
        (("PUT", OBJECT, 412), object("PUT", "a").header("If-None-Match", "*")),
        (("PUT", OBJECT, 400), object("PUT", "b").header("Content-Digest", WRONG)),
        (("PUT", OBJECT, 411), Request::new("PUT", "/v1/artifacts/b")),
        (("PUT", OBJECT, 413), object("PUT", "b").body(vec![0; (4 << 20) + 1])),
        (("PUT", OBJECT, 507), object("PUT", "b").body(vec![0; 2 << 20])),
        (("GET", OBJECT, 200), get()),
        (("GET", OBJECT, 206), get().header("Range", "bytes=0-0")),
        (("GET", OBJECT, 304), get().header("If-None-Match", "*")),
        (("GET", OBJECT, 416), get().header("Range", "bytes=5-")),
        (("GET", OBJECT, 400), object("GET", "..")),
        (("GET", OBJECT, 404), object("GET", "b")),
        (("HEAD", OBJECT, 200), object("HEAD", "a")),
        (("HEAD", OBJECT, 400), object("HEAD", "a%2Fb")),
        (("HEAD", OBJECT, 404), object("HEAD", "b")),
        (("GET", "/v1/artifacts", 200), request("GET", "/v1/artifacts?limit=1")),
        (("GET", "/v1/artifacts", 400), request("GET", "/v1/artifacts?limit=0")),
        (("GET", "/v1/artifacts/", 200), request("GET", "/v1/artifacts/")),
        (("POST", "/v1/artifacts/exists", 200), request("POST", "/v1/artifacts/exists").body(r#"{"names":["a","b"]}"#)),
        (("POST", "/v1/artifacts/exists", 400), request("POST", "/v1/artifacts/exists").body(r#"{"names":["../a"]}"#)),
        (
            ("POST", "/v1/artifacts/exists", 413),
            request("POST", "/v1/artifacts/exists").body(vec![b' '; (4 << 20) + 1]),
        ),
        (("DELETE", OBJECT, 204), object("DELETE", "a")),
        (("DELETE", OBJECT, 404), object("DELETE", "a")),
        (("DELETE", OBJECT, 400), object("DELETE", "%ff")),
    ]
}

#[test]
fn whatever_is_described_happens_and_nothing_else() {
    let mut seen = BTreeSet::new();
    let served = Served::sized(1 << 20, |options| options.max_object = 4 << 20);
    let cases =
        [open(), gradle::cases(), bazel::cases(), ccache::cases(), webdav::cases(), nx::cases(), turbo::cases()];
    let cases = cases.into_iter().flatten().chain(page::cases()).chain(curdling::cases());
    for ((method, path, status), request) in cases {
        assert_eq!(served.send(&request).status, status, "{method} {path}");
        seen.insert((method.to_owned(), path.to_owned(), status));
    }
    // `gast` has no rights where anything is.
    let guarded = Served::guarded(&["gast:{TOKEN}TOKEN:elsewhere=reader"], |_| {});
    for (method, path) in described().into_iter().map(|(method, path, _)| (method, path)).collect::<BTreeSet<_>>() {
        let answer = guarded.send(&request(&method, &path));
        assert_eq!((answer.status, answer.header("www-authenticate").is_some()), (401, true), "{method} {path}");
        seen.insert((method.clone(), path.clone(), 401));
        let answer = guarded.send(&request(&method, &path).header("Authorization", "Bearer espresso"));
        if path != "/healthz" {
            assert_eq!(answer.status, 403, "{method} {path}");
            seen.insert((method, path, 403));
        }
    }
    assert_eq!(described(), seen);
}

#[test]
fn whatever_is_not_described_is_a_problem_too() {
    let served = Served::new();
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("GET", "/v1/artifacts/a/b", 404),
        ("PATCH", "/v1/artifacts/a", 405),
        ("PUT", "/healthz", 405),
    ] {
        let answer = served.send(&Request::new(method, path));
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(!answer.detail().is_empty());
    }
}
