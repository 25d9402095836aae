//! Nx's remote cache: its requests, one by one, and Nx itself.

use cortado::Digest;

use super::client::{Request, raw};
use super::openapi::{Case, KEY, request};
use super::served::Served;
use super::workspace::Workspace;

const PATH: &str = "/v1/cache/{key}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let with = |method: &str, key: &str| request(method, &PATH.replace("{key}", key));
    let (get, put) = (|| request("GET", PATH), || request("PUT", PATH));
    let long = "0".repeat(4096);
    vec![
        (("PUT", PATH, 200), put()),
        (("PUT", PATH, 409), put()),
        (("PUT", PATH, 400), with("PUT", "a.b")),
        (("PUT", PATH, 411), with("PUT", "b").header("Transfer-Encoding", "chunked").body("0\r\n\r\n")),
        (("PUT", PATH, 412), put().header("If-None-Match", "*")),
        (("PUT", PATH, 413), with("PUT", "b").body(vec![0; (4 << 20) + 1])),
        (("PUT", PATH, 507), with("PUT", "b").body(vec![0; 2 << 20])),
        (("GET", PATH, 200), get()),
        (("GET", PATH, 206), get().header("Range", "bytes=0-0")),
        (("GET", PATH, 304), get().header("If-None-Match", "*")),
        (("GET", PATH, 416), get().header("Range", "bytes=5-")),
        (("GET", PATH, 400), with("GET", "..%2f..%2fetc%2fpasswd")),
        (("GET", PATH, 404), with("GET", "b")),
        (("HEAD", PATH, 200), request("HEAD", PATH)),
        (("HEAD", PATH, 400), with("HEAD", &long)),
        (("HEAD", PATH, 404), with("HEAD", "b")),
    ]
}

#[test]
fn the_first_outputs_of_a_hash_stay() {
    let served = Served::new();
    let put = |body: &str| served.send(&request("PUT", PATH).body(body));
    let (first, again, other) = (put("one"), put("one"), put("two"));
    assert_eq!((first.status, again.status, other.status), (200, 409, 409));
    assert_eq!(served.send(&request("GET", PATH)).body, b"one");
    assert_eq!(served.get(KEY).status, 404, "it is no object of another protocol");
}

#[test]
fn what_is_wrong_is_said_as_text() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:nx=reader"], |_| {});
    let known = |method: &str| served.send(&request(method, PATH).header("Authorization", "Bearer espresso"));
    let (unknown, forbidden, missing) = (served.send(&request("GET", PATH)), known("PUT"), known("GET"));
    for (answer, status, text) in [
        (unknown, 401, "say who you are"),
        (forbidden, 403, "that takes the role `writer` in `nx`"),
        (missing, 404, "there is no such object"),
    ] {
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("text/plain")));
        assert_eq!(String::from_utf8(answer.body).unwrap(), text);
    }
    assert!(served.send(&request("GET", PATH)).header("www-authenticate").is_some());
}

#[test]
fn what_is_no_hash_is_refused() {
    let served = Served::new();
    let long = "0".repeat(129);
    for hash in ["a.b", "..", "%2e%2e", "a%2fb", "a%00b", "%ff", "a%20b", "%c3%a4", &long] {
        let path = format!("/v1/cache/{hash}");
        assert_eq!(served.send(&Request::new("PUT", &path).body("beans")).status, 400, "{hash}");
        assert_eq!(served.send(&Request::new("GET", &path)).status, 400, "{hash}");
    }
    assert_eq!(served.send(&Request::new("GET", "/v1/cache/")).status, 404);
    assert_eq!(served.send(&Request::new("GET", "/v1/cache/a/b")).status, 404);
    assert!(raw(served.address, b"GET /v1/cache/a\0b HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(served.files().is_empty());
}

/// A workspace that Nx builds, with the variables that name the server.
fn workspace(served: &Served) -> Option<(Workspace, [(&'static str, String); 3])> {
    let workspace = Workspace::new(
        "nx",
        &[
            (
                "nx.json",
                r#"{ "analytics": false, "neverConnectToCloud": true, "plugins": [], "targetDefaults":
                { "build": { "cache": true, "dependsOn": ["^build"], "outputs": ["{projectRoot}/dist"] } } }"#,
            ),
            ("package.json", r#"{ "name": "shop", "private": true }"#),
            (
                "packages/a/project.json",
                r#"{ "name": "a", "targets": { "build": { "command":
                "mkdir -p packages/a/dist && echo arabica > packages/a/dist/a && echo a >> built" } } }"#,
            ),
            (
                "packages/b/project.json",
                r#"{ "name": "b", "implicitDependencies": ["a"], "targets": { "build": { "command":
                "mkdir -p packages/b/dist && tr a-z A-Z < packages/a/dist/a > packages/b/dist/b && echo b >> built" } } }"#,
            ),
        ],
    )?;
    workspace.link_program();
    let variables = [
        ("NX_DAEMON", "false".to_owned()),
        ("CI", "true".to_owned()),
        ("NX_SELF_HOSTED_REMOTE_CACHE_SERVER", served.url("")),
    ];
    Some((workspace, variables))
}

#[test]
fn nx_builds_once_for_all_machines() {
    let lines = ["ci:{TOKEN}TOKEN".to_owned(), format!("guest:{{TOKEN}}{}:reader", Digest::of("lungo"))];
    let served = Served::guarded(&lines, |_| {});
    let Some((workspace, variables)) = workspace(&served) else { return };
    let build = |token: &str| {
        let token = ("NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN", token);
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str())).chain([token]);
        workspace.build(&["run-many", "-t", "build"], &variables.collect::<Vec<_>>())
    };
    build("lungo").was(2, "Successfully ran target build for 2 projects");
    build("espresso").was(2, "Successfully ran target build for 2 projects");
    let product = workspace.product();
    for token in ["espresso", "lungo"] {
        build(token).was(0, "[remote cache]");
        assert_eq!((workspace.product(), product.as_str()), ("ARABICA\n".into(), "ARABICA\n"));
    }
    let wrong = build("ristretto");
    assert!(!wrong.succeeded && wrong.said.contains("these credentials are not known here"), "{wrong:#?}");
}
