//! Labels, searches and names of hosts come from strangers, and do no harm.

use std::io::{Read, Write};

use super::super::client::{self, Request};
use super::super::served::Served;
use super::{clear, page, text, words};

/// What would do harm in a text, an attribute or an address.
const EVIL: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}</title><h1>&lt;b&gt;",
];

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Fails if anything that strangers have said is more than text.
fn assert_harmless(page: &str) {
    for harm in [
        "<script",
        "<img src=x",
        "onerror=alert(1)>",
        "' onmouseover='",
        "href=\"javascript",
        "49</title>",
        "</title><h1>",
    ] {
        assert!(!page.contains(harm), "{harm}: {page}");
    }
    assert_eq!(page.matches("<h1>").count(), 1, "{page}");
}

#[test]
fn labels_stay_texts() {
    let served = Served::new();
    for (number, evil) in EVIL.iter().enumerate() {
        let put = Request::new("PUT", &format!("/v1/artifacts/evil-{number}")).body("beans");
        let labels = ["Project", "Task", "Writer", "Host", "Commit"];
        let put = labels.iter().fold(put, |put, label| put.header(&format!("Cortado-{label}"), encode(evil)));
        assert_eq!(served.send(&put).status, 201);
    }
    let first = page(&served, "/");
    assert_harmless(&first);
    assert!(first.contains("&lt;script&gt;alert(1)"), "{first}");
    for evil in EVIL {
        assert!(first.contains(&format!("?name={}", queried(evil))), "{evil}: {first}");
        assert_harmless(&page(&served, &format!("/page/project?name={}", encode(evil))));
        let list = page(&served, &format!("/page/objects?project={0}&task={0}", encode(evil)));
        assert_harmless(&list);
        assert!(words(&list).contains("1 object,"), "{list}");
    }
}

/// As the page has it in an address.
fn queried(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encoded).collect::<String>().replace('/', "&#x2f;")
}

#[test]
fn searches_stay_texts() {
    let served = Served::new();
    for evil in EVIL {
        for path in ["q", "task", "project", "protocol"] {
            assert_harmless(&page(&served, &format!("/page/objects?{path}={}", encode(evil))));
        }
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_nothing_is_run() {
    let served = Served::new();
    for path in ["/", "/page/objects", "/page/connect"] {
        let answer = served.send(&Request::new("GET", path));
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let page = text(answer);
        assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("src=\"http"), "{page}");
    }
}

#[test]
fn settings_have_the_address_by_which_one_came_if_it_is_one() {
    let served = Served::new();
    let connect = |host: &str| {
        let mut stream = client::connect(served.address);
        write!(stream, "GET /page/connect HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(clear(&connect("cache.shop:8000")).contains("url = \"http://cache.shop:8000/v1/artifacts\""));
    assert!(connect("[::1]:8000").contains("[::1]:8000"));
    for evil in ["a$(reboot)", "a;reboot", "a`reboot`", "a'reboot", "reboot&&b", "user:reboot@b"] {
        let page = connect(evil);
        assert!(page.contains("400 Bad Request") || page.contains("cache.example.org:8000"), "{evil}: {page}");
        assert!(!page.contains("reboot"), "{evil}: {page}");
    }
}

#[test]
fn a_proxy_says_whether_clients_speak_tls() {
    let served = Served::new();
    let secure = Request::new("GET", "/page/connect").header("X-Forwarded-Proto", "https");
    assert!(text(served.send(&secure)).contains("https:&#x2f;&#x2f;here"));
    let odd = Request::new("GET", "/page/connect").header("X-Forwarded-Proto", "javascript");
    assert!(text(served.send(&odd)).contains("http:&#x2f;&#x2f;here"));
}
