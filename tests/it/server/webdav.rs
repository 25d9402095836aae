//! WebDAV: its requests, one by one.

use super::client::{Answer, Request};
use super::openapi::{Case, keyed, request};
use super::served::Served;

const FILE: &str = "/webdav/{path}";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let mut cases = keyed(FILE, ["/webdav/a/b", "/webdav/a/c", "/webdav/a/..%2fb"]);
    let propfind = |path: &str, depth: &str| request("PROPFIND", path).header("Depth", depth);
    for (route, path) in [("/webdav", "/webdav"), ("/webdav/", "/webdav/"), (FILE, "/webdav/a/b")] {
        cases.extend([
            (("OPTIONS", route, 200), request("OPTIONS", path)),
            (("PROPFIND", route, 207), propfind(path, "0")),
            (("PROPFIND", route, 400), propfind(path, "2")),
            (("PROPFIND", route, 403), propfind(path, "infinity")),
            (("PROPFIND", route, 413), propfind(path, "0").body(vec![b' '; (64 << 10) + 1])),
            (("MKCOL", route, 201), request("MKCOL", if route == FILE { "/webdav/x" } else { path })),
        ]);
    }
    cases.extend([
        (("PROPFIND", FILE, 404), propfind("/webdav/a/c", "0")),
        (("MKCOL", FILE, 405), request("MKCOL", "/webdav/a/b")),
        (("MKCOL", FILE, 400), request("MKCOL", "/webdav/%2e%2e/b")),
        (("GET", FILE, 405), request("GET", "/webdav/a/")),
        (("HEAD", FILE, 405), request("HEAD", "/webdav/a/")),
        (("PUT", FILE, 405), request("PUT", "/webdav/a/")),
        (("DELETE", FILE, 405), request("DELETE", "/webdav/a/")),
        (("DELETE", FILE, 400), request("DELETE", "/webdav/a//b")),
        (("DELETE", FILE, 204), request("DELETE", "/webdav/a/b")),
        (("DELETE", FILE, 404), request("DELETE", "/webdav/a/b")),
    ]);
    cases
}

fn propfind(served: &Served, path: &str, depth: &str) -> Answer {
    served.send(&Request::new("PROPFIND", path).header("Depth", depth))
}

/// The addresses that an answer tells of, sorted.
fn addresses(answer: &Answer) -> Vec<String> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let mut found: Vec<_> =
        text.split("<D:href>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned()).collect();
    found.sort();
    found
}

#[test]
fn directories_have_what_lies_in_them() {
    let served = Served::new();
    for path in [
        "/webdav/top",
        "/webdav/a/one",
        "/webdav/a/b/two",
        "/webdav/a/b/three",
        "/webdav/%C3%A4%20%26/x",
        "/ccache/ab/x",
    ] {
        served.send(&Request::new("PUT", path).body("beans"));
    }
    served.put("artifact", "beans");
    let list = |path: &str| addresses(&propfind(&served, path, "1"));
    assert_eq!(list("/webdav"), ["/webdav/", "/webdav/%C3%A4%20%26/", "/webdav/a/", "/webdav/top"]);
    assert_eq!(list("/webdav/a/"), ["/webdav/a/", "/webdav/a/b/", "/webdav/a/one"]);
    assert_eq!(list("/webdav/a/b/"), ["/webdav/a/b/", "/webdav/a/b/three", "/webdav/a/b/two"]);
    assert_eq!(list("/webdav/%c3%a4%20%26/"), ["/webdav/%C3%A4%20%26/", "/webdav/%C3%A4%20%26/x"]);
    assert_eq!(list("/webdav/nowhere/"), ["/webdav/nowhere/"], "whatever is asked for is there");
    assert_eq!(propfind(&served, "/webdav/nowhere", "0").status, 404, "without a slash it is an object");
}

#[test]
fn an_object_is_told_of() {
    let served = Served::new();
    served.send(&Request::new("PUT", "/webdav/a/b").body("beans"));
    let answer = propfind(&served, "/webdav/a/b", "0");
    assert_eq!((answer.status, answer.header("content-type")), (207, Some("application/xml; charset=utf-8")));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n<D:response>")
    );
    for part in
        ["<D:href>/webdav/a/b</D:href>", "<D:getcontentlength>5</", " GMT</D:getlastmodified>", "<D:resourcetype/>"]
    {
        assert!(text.contains(part), "{text}");
    }
    let text = String::from_utf8(propfind(&served, "/webdav/a/", "0").body).unwrap();
    assert!(text.contains("<D:resourcetype><D:collection/></D:resourcetype>") && text.ends_with("</D:multistatus>\n"));
}

#[test]
fn the_last_one_counts_unless_the_first_is_to_stay() {
    let served = Served::new();
    let put = |body: &str| Request::new("PUT", "/webdav/a").body(body);
    assert_eq!((served.send(&put("one")).status, served.send(&put("two")).status), (201, 201));
    assert_eq!(served.send(&put("three").header("If-None-Match", "*")).status, 412);
    assert_eq!(served.send(&Request::new("GET", "/webdav/a")).body, b"two");
}

#[test]
fn what_a_question_says_in_xml_is_not_read() {
    let served = Served::new();
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><x>&b;&b;</x>";
    for body in [bomb, "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>", "<unclosed", "\0"] {
        let answer = served.send(&Request::new("PROPFIND", "/webdav/").header("Depth", "0").body(body));
        assert_eq!((answer.status, addresses(&answer)), (207, vec!["/webdav/".to_owned()]));
    }
}

#[test]
fn bad_paths_are_refused() {
    let served = Served::new();
    let long = "x".repeat(4096);
    for path in ["../x", "%2e%2e/x", "a/./b", "a//b", "a%2Fb", "a%5cb", "a%00b", "%ff", "a%0ab", &long] {
        for method in ["GET", "PUT", "DELETE", "PROPFIND", "MKCOL"] {
            let request = Request::new(method, &format!("/webdav/{path}")).header("Depth", "0").body("beans");
            assert_eq!(served.send(&request).status, 400, "{method} {path}");
        }
    }
    assert!(served.files().is_empty());
}

#[test]
fn methods_that_are_not_served_are_named() {
    let served = Served::new();
    for (method, path) in
        [("LOCK", "/webdav/a"), ("PROPPATCH", "/webdav/a"), ("MOVE", "/webdav/a/"), ("GET", "/webdav")]
    {
        let answer = served.send(&Request::new(method, path));
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE, OPTIONS, PROPFIND, MKCOL"));
    }
    let answer = served.send(&Request::new("OPTIONS", "/webdav/"));
    assert_eq!((answer.status, answer.header("dav")), (200, Some("1")));
}

#[test]
fn a_reader_may_look_and_not_touch() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:webdav=reader"], |_| {});
    let send = |method: &str| {
        served.send(&request(method, FILE).header("Authorization", "Bearer espresso").header("Depth", "0")).status
    };
    assert_eq!((send("GET"), send("PROPFIND"), send("OPTIONS")), (404, 404, 200));
    assert_eq!((send("PUT"), send("DELETE"), send("MKCOL")), (403, 403, 403));
}
