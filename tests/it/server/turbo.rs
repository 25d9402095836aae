//! Turborepo's remote cache: its requests, one by one, and Turborepo itself.

use std::io::Read;
use std::time::Duration;

use cortado::{Digest, DirectoryStore, Objects, Put, Store, Stored};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::client::{Answer, Request, raw};
use super::openapi::{Case, KEY, request};
use super::program::Program;
use super::served::Served;
use super::workspace::Workspace;

const ARTIFACT: &str = "/v8/artifacts/{key}";
const QUERY: &str = "/v8/artifacts";
const EVENTS: &str = "/v8/artifacts/events";
const STATUS: &str = "/v8/artifacts/status";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let with = |method: &str, key: &str| request(method, &ARTIFACT.replace("{key}", key));
    let (get, put) = (|| request("GET", ARTIFACT), || request("PUT", ARTIFACT));
    let mut cases = vec![
        (("GET", STATUS, 200), request("GET", STATUS)),
        (("POST", EVENTS, 200), request("POST", EVENTS).body("[]")),
        (("POST", EVENTS, 400), request("POST", EVENTS)),
        (("POST", EVENTS, 413), request("POST", EVENTS).body(vec![b' '; 1 << 20])),
        (("POST", QUERY, 200), request("POST", QUERY).body(r#"{"hashes":["a"]}"#)),
        (("POST", QUERY, 400), request("POST", QUERY)),
        (("POST", QUERY, 413), request("POST", QUERY).body(vec![b' '; 1 << 20])),
        (("PUT", ARTIFACT, 202), put()),
        (("PUT", ARTIFACT, 400), put().header("x-artifact-duration", "long")),
        (("PUT", ARTIFACT, 411), Request::new("PUT", &ARTIFACT.replace("{key}", KEY))),
        (("PUT", ARTIFACT, 412), put().header("If-None-Match", "*")),
        (("PUT", ARTIFACT, 413), with("PUT", "b").body(vec![0; (4 << 20) + 1])),
        (("PUT", ARTIFACT, 413), with("PUT", "b").body(vec![0; 2 << 20])),
        (("GET", ARTIFACT, 200), get()),
        (("GET", ARTIFACT, 206), get().header("Range", "bytes=0-0")),
        (("GET", ARTIFACT, 304), get().header("If-None-Match", "*")),
        (("GET", ARTIFACT, 416), get().header("Range", "bytes=5-")),
        (("GET", ARTIFACT, 400), with("GET", "..%2f..%2fetc%2fpasswd")),
        (("GET", ARTIFACT, 404), with("GET", "b")),
        (("HEAD", ARTIFACT, 200), request("HEAD", ARTIFACT)),
        (("HEAD", ARTIFACT, 400), with("HEAD", "a.b")),
        (("HEAD", ARTIFACT, 404), with("HEAD", "b")),
    ];
    cases.extend([STATUS, EVENTS, QUERY, ARTIFACT].map(|path| (("OPTIONS", path, 204), request("OPTIONS", path))));
    cases
}

/// The code and the message of an error, as the client finds them.
fn refusal(answer: &Answer) -> (String, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    let error = &answer.json()["error"];
    (error["code"].as_str().unwrap().into(), error["message"].as_str().unwrap().into())
}

fn put(path: &str, body: impl AsRef<[u8]>, tag: &str) -> Request {
    Request::new("PUT", path).header("x-artifact-duration", "1500").header("x-artifact-tag", tag).body(body)
}

/// Duration, tag and content of an answer.
fn told(answer: &Answer) -> (u16, Option<&str>, Option<&str>, &[u8]) {
    (answer.status, answer.header("x-artifact-duration"), answer.header("x-artifact-tag"), &answer.body)
}

#[test]
fn what_is_said_of_an_artifact_comes_back_with_it() {
    let served = Served::new();
    let path = "/v8/artifacts/0123456789abcdef?slug=shop";
    let send = |method: &str| served.send(&Request::new(method, path));
    assert_eq!(send("GET").status, 404);
    assert_eq!(served.send(&put(path, "beans", "c2lnbmVk+/==")).status, 202);
    assert_eq!(told(&send("GET")), (200, Some("1500"), Some("c2lnbmVk+/=="), &b"beans"[..]));
    let head = send("HEAD");
    assert_eq!(
        (told(&head), head.header("content-length")),
        ((200, Some("1500"), Some("c2lnbmVk+/=="), &b""[..]), Some("5"))
    );
    let query = Request::new("POST", "/v8/artifacts?slug=shop").body(r#"{"hashes":["0123456789abcdef","b"],"x":1}"#);
    let entry = json!({ "size": 5, "taskDurationMs": 1500, "tag": "c2lnbmVk+/==" });
    assert_eq!(served.send(&query).json(), json!({ "0123456789abcdef": entry, "b": null }));
    // What is known of the object is known of more than what is sent.
    assert!(send("GET").header("repr-digest").is_none() && send("GET").header("content-digest").is_none());
}

#[test]
fn an_artifact_needs_neither_tag_nor_duration_nor_content() {
    let served = Served::new();
    assert_eq!(served.send(&Request::new("PUT", "/v8/artifacts/a").body("")).status, 202);
    assert_eq!(told(&served.send(&Request::new("GET", "/v8/artifacts/a"))), (200, None, None, &b""[..]));
    let query = Request::new("POST", "/v8/artifacts").body(r#"{"hashes":["a"]}"#);
    assert_eq!(served.send(&query).json(), json!({ "a": { "size": 0, "taskDurationMs": 0 } }));
}

#[test]
fn the_last_artifact_counts_with_its_own_tag() {
    let served = Served::new();
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n / 7) as u8).collect();
    let get = || served.send(&Request::new("GET", "/v8/artifacts/a"));
    served.send(&put("/v8/artifacts/a", &content, "one"));
    assert_eq!(told(&get()), (200, Some("1500"), Some("one"), &content[..]));
    let first = get().header("etag").unwrap().to_owned();
    served.send(&put("/v8/artifacts/a", &content, "two"));
    assert_eq!(told(&get()), (200, Some("1500"), Some("two"), &content[..]));
    assert_ne!(get().header("etag"), Some(first.as_str()), "what is said of it is part of it");
    served.send(&put("/v8/artifacts/a", "short", "three"));
    assert_eq!(told(&get()), (200, Some("1500"), Some("three"), &b"short"[..]));
}

#[test]
fn parts_are_those_of_the_artifact() {
    let served = Served::new();
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n / 7) as u8).collect();
    served.send(&put("/v8/artifacts/a", &content, "one"));
    let part = |range: &str| served.send(&Request::new("GET", "/v8/artifacts/a").header("Range", range));
    let first = part("bytes=0-9");
    assert_eq!(
        (told(&first), first.header("content-range")),
        ((206, Some("1500"), Some("one"), &content[..10]), Some("bytes 0-9/300000"))
    );
    assert_eq!(part("bytes=-5").body, content[299_995..]);
    assert_eq!((part("bytes=100000-").body, part("bytes=300000-").status), (content[100_000..].to_vec(), 416));
}

#[test]
fn teams_do_not_meet() {
    let served = Served::new();
    let path = |team: &str| format!("/v8/artifacts/a{team}");
    let get = |team: &str| served.send(&Request::new("GET", &path(team)));
    for team in ["", "?slug=one", "?slug=two", "?slug=a%2Fb", "?teamId=team_3&slug=one"] {
        assert_eq!(get(team).status, 404, "{team}");
        assert_eq!(served.send(&put(&path(team), team, "x")).status, 202, "{team}");
    }
    for (team, same) in
        [("", "?teamId="), ("?slug=one", "?slug=one&x=y"), ("?teamId=team_3&slug=one", "?teamId=team_3")]
    {
        assert_eq!(get(same).body, team.as_bytes(), "{same}");
    }
    let long = format!("?slug={}", "x".repeat(4096));
    for bad in ["?slug=a%0ab", "?slug=%00", "?teamId=a&teamId=b", "?slug=%ff", &long] {
        assert_eq!(refusal(&get(bad)).0, "bad_request", "{bad}");
    }
}

#[test]
fn what_is_said_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let get = |program: &Program| Request::new("GET", "/v8/artifacts/a").send(program.address);
    let program = Program::start(dir.path(), &["--access-log", "none"]);
    assert_eq!(put("/v8/artifacts/a", "beans", "signed").send(program.address).status, 202);
    drop(program);
    let program = Program::start(dir.path(), &["--access-log", "none"]);
    assert_eq!(told(&get(&program)), (200, Some("1500"), Some("signed"), &b"beans"[..]));
}

#[test]
fn a_store_knows_how_long_a_task_took() {
    let served = Served::new();
    served.send(&put("/v8/artifacts/a?slug=shop", "beans", "x"));
    let store = DirectoryStore::open(served.dir.path().join("store")).unwrap();
    let listed = store.list().unwrap().next().unwrap().unwrap();
    assert_eq!(listed.provenance.build_time, Some(Duration::from_millis(1500)));
    assert_eq!(listed.provenance.project.as_deref(), Some("shop"));
}

#[test]
fn an_artifact_that_is_none_is_put_aside() {
    let served = Served::new();
    served.send(&put("/v8/artifacts/a", "beans", "x"));
    for content in ["no preface", "", "cortado-preface 2 {}\n", "cortado-preface 1 {"] {
        std::fs::write(served.file("turbo~~2fa"), content).unwrap();
        assert_eq!(served.send(&Request::new("GET", "/v8/artifacts/a")).status, 404, "{content}");
        assert_eq!(served.send(&put("/v8/artifacts/a", "beans", "x")).status, 202);
    }
    assert!(served.events().join("\n").contains("it does not begin with a preface"), "{:?}", served.events());
    assert_eq!(served.send(&Request::new("GET", "/v8/artifacts/a")).body, b"beans");
}

#[test]
fn odd_requests_are_refused() {
    let served = Served::new();
    let path = "/v8/artifacts/a";
    let long = "x".repeat(601);
    let odd = [
        ("tag", long.as_str()),
        ("tag", "a b"),
        ("tag", "a\tb"),
        ("tag", "ä"),
        ("duration", "-1"),
        ("duration", "1e3"),
    ];
    for (name, value) in odd {
        let request = Request::new("PUT", path).header(&format!("x-artifact-{name}"), value).body("beans");
        assert_eq!(refusal(&served.send(&request)).0, "bad_request", "{name}: {value}");
    }
    for control in ["\x01", "\x7f", "\0"] {
        let text =
            format!("PUT {path} HTTP/1.1\r\nHost: x\r\nx-artifact-tag: a{control}b\r\nContent-Length: 5\r\n\r\nbeans");
        assert!(raw(served.address, text.as_bytes()).starts_with("HTTP/1.1 400"), "{control:?}");
    }
    let hash = "0".repeat(4096);
    for hash in ["a.b", "..", "a%2fb", "a%00b", "%ff", "a%20b", &hash] {
        assert_eq!(
            served.send(&Request::new("PUT", &format!("/v8/artifacts/{hash}")).body("beans")).status,
            400,
            "{hash}"
        );
    }
    let digest =
        put(path, "beans", "x").header("Content-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    assert_eq!(served.send(&digest).status, 400, "the digest of an artifact is not that of its object");
    assert!(served.files().is_empty());
}

#[test]
fn odd_questions_are_refused() {
    let served = Served::new();
    let ask = |path: &str, body: &str| refusal(&served.send(&Request::new("POST", path).body(body)));
    let deep = "[".repeat(100_000);
    for body in
        ["", "{", "[]", "{}", r#"{"hashes":1}"#, r#"{"hashes":["a.b"]}"#, r#"{"hashes":[null]}"#, "\u{0}", &deep]
    {
        assert_eq!(ask(QUERY, body).0, "bad_request", "{body:.60}");
    }
    let hashes = |count: usize| json!({ "hashes": vec!["a"; count] }).to_string();
    assert_eq!(ask(QUERY, &hashes(1001)), ("bad_request".into(), "`hashes` has more than 1000 hashes".into()));
    assert_eq!(ask(QUERY, &hashes(1_000_000)).0, "payload_too_large");
    let event = |source: &str, event: &str, duration: Value| {
        json!([{ "sessionId": "x", "source": source, "event": event, "hash": "a", "duration": duration }]).to_string()
    };
    let odd = [event("LUNAR", "HIT", json!(1)), event("LOCAL", "hit", json!(1)), event("LOCAL", "HIT", json!(-1))];
    for body in odd.iter().map(String::as_str).chain(["", "{}", "[1]", "[{}]", &deep]) {
        assert_eq!(ask(EVENTS, body).0, "bad_request", "{body:.60}");
    }
}

#[test]
fn errors_are_said_as_the_client_reads_them() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:turbo=reader"], |_| {});
    let known = |method: &str| served.send(&request(method, ARTIFACT).header("Authorization", "Bearer espresso"));
    let unknown = served.send(&request("GET", ARTIFACT));
    assert_eq!((unknown.status, refusal(&unknown).0), (401, "unauthorized".into()));
    assert!(unknown.header("www-authenticate").is_some());
    let forbidden = ("forbidden".to_owned(), "that takes the role `writer` in `turbo`".to_owned());
    assert_eq!((known("PUT").status, refusal(&known("PUT"))), (403, forbidden));
    assert_eq!((known("GET").status, refusal(&known("GET")).0), (404, "not_found".into()));
    assert_eq!((known("PATCH").status, refusal(&known("PATCH")).0), (405, "method_not_allowed".into()));
}

#[test]
fn a_preflight_lets_the_token_through() {
    let served = Served::new();
    let asked = Request::new("OPTIONS", "/v8/artifacts/a?slug=shop")
        .header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "Authorization, Content-Type, User-Agent, x-artifact-duration");
    let answer = served.send(&asked);
    assert_eq!((answer.status, answer.header("location")), (204, None));
    assert!(answer.header("access-control-allow-headers").unwrap().starts_with("Authorization, "));
}

#[test]
fn events_are_counted() {
    let served = Served::new();
    let event = |source: &str, event: &str, duration: u64| json!({ "sessionId": "x", "source": source, "event": event, "hash": "a", "duration": duration });
    let events = [
        event("REMOTE", "HIT", 1500),
        event("REMOTE", "HIT", 250),
        event("LOCAL", "MISS", 0),
        event("LOCAL", "HIT", 1),
    ];
    assert_eq!(served.send(&Request::new("POST", EVENTS).body(json!(events).to_string())).status, 200);
    let metrics = served.send(&Request::new("GET", "/metrics"));
    let metrics = String::from_utf8(metrics.body).unwrap();
    for line in [
        r#"cortado_client_looks_total{tool="turbo",cache="remote",outcome="hit"} 2"#,
        r#"cortado_client_looks_total{tool="turbo",cache="local",outcome="miss"} 1"#,
        r#"cortado_client_saved_seconds_total{tool="turbo",cache="remote"} 1.75"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

/// Percent-encoded bytes, as a path or a query has them.
fn encoded() -> impl Strategy<Value = String> {
    let any = prop::collection::vec(any::<u8>(), 0..20);
    let any = any.prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect());
    prop_oneof!["[a-zA-Z0-9_-]{1,16}", "[!-~&&[^?#%]]{0,20}", any]
}

/// JSON out of the words that the protocol has.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let word =
        prop::sample::select(vec!["hashes", "source", "event", "duration", "LOCAL", "REMOTE", "HIT", "MISS", "a"]);
    let leaf = prop_oneof![word.clone().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
    let json = leaf.prop_recursive(3, 16, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let object = prop::collection::vec((word.clone(), inner), 0..5);
        prop_oneof![
            list,
            object.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        ]
    });
    prop_oneof![json.prop_map(|json| json.to_string().into_bytes()), prop::collection::vec(any::<u8>(), 0..300)]
}

#[test]
fn whatever_is_asked_is_answered() {
    let served = Served::new();
    let strategy = (0..5_usize, encoded(), encoded(), "[ -~]{0,40}", "[0-9]{0,21}|[ -~]{0,5}", words());
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let ask = |(which, key, team, tag, duration, body): (usize, String, String, String, String, Vec<u8>)| {
        let artifact = format!("/v8/artifacts/{key}?slug={team}");
        let (method, path) =
            [("PUT", artifact.as_str()), ("PUT", &artifact), ("POST", QUERY), ("POST", EVENTS), ("HEAD", &artifact)]
                [which];
        let request =
            Request::new(method, path).header("x-artifact-tag", &tag).header("x-artifact-duration", &duration);
        let answer = served.send(&request.body(&body));
        prop_assert!(answer.status < 500, "{:?}", answer);
        if (answer.status, method) == (202, "PUT") {
            let got = served.send(&Request::new("GET", path));
            let duration = duration.trim().parse::<u64>().map(|duration| duration.to_string()).ok();
            prop_assert_eq!(told(&got), (200, duration.as_deref(), Some(tag.trim()), &body[..]));
        }
        Ok(())
    };
    runner.run(&strategy, ask).unwrap();
}

/// A store that hands out streams only, as those on a network do.
struct Streams(DirectoryStore);

impl Store for Streams {
    fn place(&self) -> String {
        self.0.place()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.0.get(name)
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        self.0.put(name, content, options)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.0.has(name)
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        self.0.remove(name)
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        self.0.list()
    }
}

#[test]
fn a_store_without_files_does_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let store = Streams(DirectoryStore::open(dir.path().join("store")).unwrap());
    let served = Served::serve(dir, store, |_| {});
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n / 7) as u8).collect();
    for (tag, content) in [("one", &content[..]), ("two", b"")] {
        assert_eq!(served.send(&put("/v8/artifacts/a", content, tag)).status, 202);
        let got = served.send(&Request::new("GET", "/v8/artifacts/a"));
        assert_eq!(told(&got), (200, Some("1500"), Some(tag), content));
    }
    let query = Request::new("POST", QUERY).body(r#"{"hashes":["a"]}"#);
    assert_eq!(served.send(&query).json(), json!({ "a": { "taskDurationMs": 1500, "tag": "two" } }));
}

/// A workspace that Turborepo builds.
fn workspace() -> Option<Workspace> {
    let a =
        r#"{ "name": "a", "scripts": { "build": "mkdir -p dist && echo arabica > dist/a && echo a >> ../../built" } }"#;
    let b = r#"{ "name": "b", "dependencies": { "a": "*" }, "scripts":
        { "build": "mkdir -p dist && tr a-z A-Z < ../a/dist/a > dist/b && echo b >> ../../built" } }"#;
    let lock = r#"{ "name": "shop", "lockfileVersion": 3, "packages": { "": { "name": "shop", "workspaces": ["packages/*"] },
        "node_modules/a": { "resolved": "packages/a", "link": true }, "packages/a": {},
        "node_modules/b": { "resolved": "packages/b", "link": true }, "packages/b": { "dependencies": { "a": "*" } } } }"#;
    let root = r#"{ "name": "shop", "private": true, "packageManager": "npm@10.0.0", "workspaces": ["packages/*"] }"#;
    Workspace::new(
        "turbo",
        &[
            ("package.json", root),
            ("package-lock.json", lock),
            ("turbo.json", r#"{ "tasks": { "build": { "dependsOn": ["^build"], "outputs": ["dist/**"] } } }"#),
            ("packages/a/package.json", a),
            ("packages/b/package.json", b),
        ],
    )
}

/// Builds a workspace by way of a server, with nothing of its own to go back to.
struct Build<'a> {
    workspace: &'a Workspace,
    address: String,
    team: &'a str,
}

impl Build<'_> {
    fn run(&self, token: &str, words: &[&str], variables: &[(&str, &str)]) -> super::workspace::Built {
        let own = [
            ("TURBO_API", self.address.as_str()),
            ("TURBO_TOKEN", token),
            ("TURBO_TEAM", self.team),
            ("TURBO_CACHE", "remote:rw"),
            ("TURBO_TELEMETRY_DISABLED", "1"),
            ("TURBO_NO_UPDATE_NOTIFIER", "1"),
            ("DO_NOT_TRACK", "1"),
        ];
        let words = [&["run", "build"], words].concat();
        self.workspace.build(&words, &[&own, variables].concat())
    }
}

/// `espresso` may write, `lungo` may read.
fn guarded() -> Served {
    let lines = ["ci:{TOKEN}TOKEN".to_owned(), format!("guest:{{TOKEN}}{}:reader", Digest::of("lungo"))];
    Served::guarded(&lines, |_| {})
}

#[test]
fn turborepo_builds_once_for_all_machines() {
    let Some(workspace) = workspace() else { return };
    let served = guarded();
    let build = Build { workspace: &workspace, address: served.url(""), team: "shop" };
    build.run("ristretto", &[], &[]).was(2, "401");
    build.run("lungo", &[], &[]).was(2, "Remote caching enabled");
    assert!(served.files().is_empty(), "a reader has written");
    build.run("espresso", &[], &[]).was(2, "0 cached, 2 total");
    for (token, words) in [("espresso", &[][..]), ("lungo", &[]), ("espresso", &["--preflight"])] {
        build.run(token, words, &[]).was(0, ">>> FULL TURBO");
        assert_eq!(workspace.product(), "ARABICA\n");
    }
    let dry = build.run("lungo", &["--dry-run=json"], &[]);
    assert!(dry.said.contains(r#""remote": true"#) && dry.said.contains(r#""status": "HIT""#), "{dry:#?}");
    Build { team: "other", ..build }.run("espresso", &[], &[]).was(2, "0 cached, 2 total");
}

#[test]
fn turborepo_signs_what_it_keeps() {
    let Some(workspace) = workspace() else { return };
    workspace.write(
        "turbo.json",
        r#"{ "remoteCache": { "signature": true }, "tasks": { "build": { "dependsOn": ["^build"], "outputs": ["dist/**"] } } }"#,
    );
    let served = guarded();
    let build = Build { workspace: &workspace, address: served.url(""), team: "shop" };
    let signed = |token: &str, key: &str| build.run(token, &[], &[("TURBO_REMOTE_CACHE_SIGNATURE_KEY", key)]);
    let (ours, theirs) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    signed("espresso", ours).was(2, "0 cached, 2 total");
    signed("lungo", ours).was(0, ">>> FULL TURBO");
    signed("lungo", theirs).was(2, "0 cached, 2 total");
    signed("espresso", theirs).was(2, "0 cached, 2 total");
    signed("lungo", theirs).was(0, ">>> FULL TURBO");
    assert_eq!(workspace.product(), "ARABICA\n");
}
