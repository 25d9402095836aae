//! The HTTP store against servers that break, lie, drip, or send it elsewhere: never a short object, never a hang,
//! never a password in the wrong place.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use cortado::stores::{Http, HttpStore, Unsupported};
use cortado::{Put, Store, Stored, Task};

use crate::support::Shop;
use crate::support::server::{Answer, Server};

const BODY: &[u8] = b"the quick brown fox jumps over the lazy dog";

/// Asks again at once.
fn eager(url: impl Into<String>) -> Http {
    let mut http = Http::new(url.into());
    http.network.longest_pause = Duration::from_millis(1);
    http
}

/// A patience of well below a second, for what is never answered.
fn hasty(server: &Server) -> HttpStore {
    let mut http = eager(server.url.as_str());
    http.network.idle_timeout = Duration::from_millis(200);
    http.network.total_timeout = Duration::from_millis(500);
    http.open().unwrap()
}

fn store(server: &Server) -> HttpStore {
    eager(server.url.as_str()).open().unwrap()
}

/// The object `a`, or how it failed in words.
fn get(store: &HttpStore) -> Result<Option<Vec<u8>>, String> {
    let opened = store.get("a").map_err(|error| format!("{error:#}"))?;
    let read = opened.map(|mut object| {
        let mut content = Vec::new();
        object.read_to_end(&mut content).map(|_| content).map_err(|error| format!("{error:#}"))
    });
    read.transpose()
}

fn get_of(answer: Answer) -> Result<Option<Vec<u8>>, String> {
    get(&store(&Server::start([answer])))
}

#[test]
fn half_of_an_object_is_an_error_and_not_a_short_object() {
    let broke_off = |error: Result<_, String>, after: &str| {
        let error = error.unwrap_err();
        assert!(error.starts_with("get of `a` from server http://") && error.contains(after), "{error}");
    };
    assert_eq!(get_of(Answer::ok(BODY)), Ok(Some(BODY.to_vec())));
    broke_off(get_of(Answer::truncated(BODY, 20)), " broke off after 20 B: ");
    broke_off(get_of(Answer::cut_off(BODY)), " broke off after 43 B: ");
    broke_off(get_of(Answer::unmarked(BODY)), " failed: the server does not say where the object ends");
}

#[test]
fn what_the_server_refuses_is_said_with_operation_name_and_place() {
    let tell = |status: &str| {
        let server = Server::start([Answer::status(status, "")]);
        let url = server.url.clone();
        get(&store(&server)).map_err(|error| error.replace(&url, "http://HOST"))
    };
    let failed = |reason: &str| Err(format!("get of `a` from server http://HOST failed: the server answered {reason}"));
    assert_eq!(tell("401 Unauthorized"), failed("401 Unauthorized: it wants other credentials"));
    assert_eq!(tell("403 Forbidden"), failed("403 Forbidden: the credentials do not allow it"));
    assert_eq!(tell("418 I'm a teapot"), failed("418 I'm a teapot"));
    assert_eq!(tell("404 Not Found"), Ok(None));
    assert_eq!(tell("410 Gone"), Ok(None));
}

#[test]
fn a_busy_server_is_asked_again_within_limits() {
    let busy = |pause| Answer::status("503 Service Unavailable", &format!("Retry-After: {pause}\r\n"));
    let server = Server::start([busy(0), Answer::status("500 Internal Server Error", ""), Answer::ok(BODY)]);
    assert_eq!(get(&store(&server)), Ok(Some(BODY.to_vec())));

    let server = Server::start([busy(0), busy(0), busy(0)]);
    let error = get(&store(&server)).unwrap_err();
    assert!(error.contains("503 Service Unavailable"), "{error}");
    assert_eq!(server.requests().len(), 3);

    let server = Server::start([Answer::status("429 Too Many Requests", "Retry-After: 3600\r\n")]);
    let error = get(&store(&server)).unwrap_err();
    assert!(error.ends_with("429 Too Many Requests and wants 1 h 0 min of peace"), "{error}");
    assert_eq!(server.requests().len(), 1, "asking earlier than it wants is of no use");
}

#[test]
fn silence_dripping_and_endlessness_end() {
    let begun = Instant::now();
    for (answer, reason) in [
        (Answer::silence(), "timeout"),
        (Answer::hang(BODY), "timeout"),
        (Answer::drip(Duration::from_millis(5)), "timeout"),
    ] {
        let error = get(&hasty(&Server::start([answer]))).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let mut small = eager("");
    small.network.max_object_size = 1 << 20;
    let mut sized = |server: &Server| {
        small.url = server.url.as_str().into();
        get(&small.open().unwrap()).unwrap_err()
    };
    let endless = sized(&Server::start([Answer::endless()]));
    assert!(endless.ends_with("it is larger than 1.0 MiB, the limit"), "{endless}");
    let announced = sized(&Server::start([Answer::ok(&vec![0; (1 << 20) + 1])]));
    assert!(announced.ends_with("failed: it has 1.0 MiB, and the limit is 1.0 MiB"), "{announced}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn credentials_stay_with_the_host_they_are_for() {
    let cases = [
        (("me", "hush"), None, "authorization: basic bwu6ahvzaa==\n"),
        (("", ""), Some("tea-leaves"), "authorization: bearer tea-leaves\n"),
    ];
    for ((username, password), token, header) in cases {
        let elsewhere = Server::start([Answer::ok(BODY)]);
        let away = Answer::redirect(&format!("{}/b", elsewhere.url));
        let home = Server::start([Answer::redirect("/moved"), away]);
        let mut http = eager(home.url.as_str());
        http.username = (!username.is_empty()).then(|| username.into());
        http.password = (!password.is_empty()).then(|| password.into());
        http.token = token.map(Into::into);
        assert_eq!(get(&http.open().unwrap()), Ok(Some(BODY.to_vec())));
        assert!(home.requests().iter().all(|request| request.contains(header)));
        assert!(!elsewhere.requests()[0].contains("authorization"));
    }
}

#[test]
fn a_put_that_is_sent_elsewhere_is_sent_there_whole_and_anonymous() {
    let elsewhere = Server::start([Answer::status("201 Created", "")]);
    let away = Answer::status("307 Temporary Redirect", &format!("Location: {}/b\r\n", elsewhere.url));
    let home = Server::start([Answer::status("404 Not Found", ""), away]);
    let store = eager(home.url.replace("http://", "http://me:hush@")).open().unwrap();
    let shop = Shop::new();
    let file = shop.write("a.tar.gz", BODY);
    let mut options = Put::default();
    options.provenance = cortado::Provenance::new().writer("me");
    assert_eq!(store.put_file("a", &file, &options).unwrap(), Stored::New);
    let request = &elsewhere.requests()[0];
    assert!(request.starts_with("put /b ") && request.ends_with(std::str::from_utf8(BODY).unwrap()), "{request}");
    assert!(request.contains("content-length: 43\n") && request.contains("if-none-match: *\n"), "{request}");
    assert!(!request.contains("authorization") && !request.contains("cortado-writer"), "{request}");
}

/// What becomes of a put of `size` bytes when the server says so. It was asked for the name before.
fn put(size: usize, answer: Answer) -> Result<Stored, String> {
    let server = Server::start([Answer::status("404 Not Found", ""), answer]);
    let shop = Shop::new();
    let file = shop.write("a.tar.gz", vec![b'x'; size]);
    store(&server).put_file("a", &file, &Put::default()).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_put_that_is_refused_is_an_error_and_never_kept() {
    for status in ["401 Unauthorized", "403 Forbidden", "405 Method Not Allowed", "507 Insufficient Storage"] {
        let error = put(43, Answer::status(status, "")).unwrap_err();
        assert!(error.starts_with("put of `a` from ") && error.contains(&format!("answered {status}: ")), "{error}");
    }
    // A server that has seen enough does not read on: the answer counts, not the connection that it closes.
    let error = put(8 << 20, Answer::refusal("401 Unauthorized")).unwrap_err();
    assert!(error.contains("401 Unauthorized"), "{error}");
    assert!(put(43, Answer::Reply(String::new(), Vec::new())).is_err(), "the connection is dropped");
}

#[test]
fn what_a_server_does_not_want_is_declined() {
    let Ok(Stored::Declined(why)) = put(8 << 20, Answer::refusal("413 Content Too Large")) else {
        panic!("not declined")
    };
    assert!(why.starts_with("too large for server http://127.0.0.1:") && why.ends_with(": 8.0 MiB"), "{why}");
    assert_eq!(put(43, Answer::status("412 Precondition Failed", "")), Ok(Stored::Present));
}

#[test]
fn a_file_that_changes_its_size_while_it_is_sent_is_not_kept() {
    let server = Server::start([Answer::status("404 Not Found", ""), Answer::status("201 Created", "")]);
    let mut options = Put::default();
    options.size = Some(100);
    let error = store(&server).put("a", &mut &BODY[..], &options).unwrap_err();
    assert!(format!("{error:#}").ends_with("it ended after 43 B of 100 B"), "{error:#}");
}

#[test]
fn wrong_bytes_are_a_miss_and_leave_the_server() {
    let server = Server::start([
        Answer::ok(b"no artifact at all"),
        Answer::status("204 No Content", ""),
        Answer::status("201 Created", ""),
    ]);
    let shop = Shop::new();
    let url = server.url.clone();
    let project = shop.project([shop.ware("a", "one")]);
    let seen = shop.run_with(&project, |engine| engine.store(Http::new(url).open().unwrap()));
    assert_eq!(seen.of("a"), "built");
    let requests = server.requests();
    let verbs: Vec<_> = requests.iter().map(|request| request.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["get", "delete", "put"], "the rebuilt one replaces it");
}

#[test]
fn a_server_that_is_not_there_costs_a_miss() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shop = Shop::new();
    let task = Task::new("a").version("1").command("touch @{stage_install_dir}/a");
    let project = shop.project([task]);
    let store = Http::new(format!("http://me:hush@{closed}/")).open().unwrap();
    let seen = shop.run_with(&project, |engine| engine.store(store));
    assert_eq!(seen.of("a"), "built");
    assert!(!seen.all().contains("hush"), "{}", seen.all());
}

#[test]
fn a_server_that_lists_nothing_says_so() {
    for answer in [Answer::ok(b"<html>"), Answer::status("403 Forbidden", ""), Answer::status("404 Not Found", "")] {
        let error = store(&Server::start([answer])).list().err().unwrap();
        assert!(error.is::<Unsupported>(), "{error:#}");
    }
    let error = store(&Server::start([Answer::status("401 Unauthorized", "")])).list().err().unwrap();
    assert!(!error.is::<Unsupported>(), "{error:#}");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_asked() {
    let refused = |http: Http| http.open().unwrap_err().to_string();
    let url = |url: &str| refused(Http::new(url));
    assert_eq!(url("file:///srv"), "store file:///srv: a web server has an `http` or `https` address");
    assert!(url("cache.example.org").contains("an address begins with `https://`"));
    assert!(!url("http://me:hu/sh@host/").contains("hu"), "{}", url("http://me:hu/sh@host/"));
    let mut both = Http::new("http://me:hush@host/");
    both.token = Some("tea-leaves".into());
    assert!(refused(both).contains("there are several credentials"));
    let mut half = Http::new("http://host/");
    half.password = Some("hush".into());
    assert_eq!(refused(half), "store http://host/: there is a `password`, but no `username`");
}

#[test]
fn secrets_do_not_show() {
    let mut http = Http::new("http://me:hush@127.0.0.1:1/");
    http.network.proxy = Some("http://you:hush@127.0.0.1:1".into());
    let store = http.open().unwrap();
    http.password = Some("hush".into());
    http.token = Some("hush".into());
    let error = store.get("a").err().unwrap();
    let shown =
        format!("{http:?} {store:?} {} {error:#} {error:?} {}", store.place(), serde_json::to_string(&http).unwrap());
    assert!(!shown.contains("hush"), "{shown}");
}
