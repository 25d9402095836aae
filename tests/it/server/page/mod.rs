//! The page, as text and in a real browser.

mod browser;
mod kept;
mod shop;
mod strangers;

use super::client::{Answer, Request};
use super::openapi::Case;
use super::served::Served;
use crate::support::Shop;

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    let get = |path: &str| Request::new("GET", path);
    let with = |path: &str| Request::new("PUT", path).header("Cortado-Project", "shop").body("beans");
    let any = |path: &str| get(path).header("If-None-Match", "*");
    vec![
        (("PUT", "/v1/artifacts/{name}", 201), with("/v1/artifacts/of-the-shop")),
        (("GET", "/", 200), get("/")),
        (("GET", "/", 400), get("/?range=year")),
        (("GET", "/page/project", 200), get("/page/project?name=shop")),
        (("GET", "/page/project", 400), get("/page/project")),
        (("GET", "/page/project", 404), get("/page/project?name=tea")),
        (("GET", "/page/objects", 200), get("/page/objects?q=a")),
        (("GET", "/page/objects", 400), get("/page/objects?page=x")),
        (("GET", "/page/connect", 200), get("/page/connect")),
        (("GET", "/page/style.css", 200), get("/page/style.css")),
        (("GET", "/page/style.css", 304), any("/page/style.css")),
        (("GET", "/page/icon.svg", 200), get("/page/icon.svg")),
        (("GET", "/page/icon.svg", 304), any("/page/icon.svg")),
    ]
}

fn page(served: &Served, path: &str) -> String {
    let answer = served.send(&Request::new("GET", path));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
    text(answer)
}

/// A page without what hides the slashes of its addresses.
fn clear(page: &str) -> String {
    page.replace("&#x2f;", "/")
}

fn text(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

/// What a reader of a page reads: no tags, and one space between words.
fn words(page: &str) -> String {
    let mut words = String::new();
    let mut is_tag = false;
    for c in page.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                words.push(' ');
            }
            c if !is_tag => words.push(c),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_empty_store_says_what_to_do_next() {
    let served = Served::new();
    let page = words(&page(&served, "/"));
    assert!(page.contains("Nothing is stored yet") && page.contains("Nobody has asked for anything"), "{page}");
    assert!(clear(&page).contains("url = \"http://here/v1/artifacts\""), "{page}");
}

#[test]
fn what_a_build_does_is_on_the_page() {
    let served = Served::new();
    let shop = Shop::new();
    let build = || {
        shop.clean();
        let project = shop.project([shop.ware("beans", "arabica"), shop.ware("milk", "oat")]);
        shop.run_with(&project, |engine| {
            engine.store(cortado::stores::Http::new(served.url("/v1/artifacts")).open().unwrap())
        });
    };
    build();
    build();
    let first = words(&page(&served, "/"));
    assert!(first.contains("50.0 % of 4 requests"), "two misses, then two hits: {first}");
    assert!(first.contains("shop 2 "), "{first}");
    let tasks = words(&page(&served, "/page/project?name=shop"));
    let hits =
        |task: &str| tasks.split(&format!(" {task} ")).nth(1).unwrap_or_else(|| panic!("{task}: {tasks}")).to_owned();
    assert!(["beans", "milk"].iter().all(|task| hits(task).starts_with("1 ")), "{tasks}");
    assert!(hits("beans").contains("1 100 %"), "a miss before there was one has no task yet: {tasks}");
    let objects = page(&served, "/page/objects?project=shop&task=beans");
    assert!(clear(&objects).contains("href=\"/v1/artifacts/shop-beans-"), "{objects}");
}

#[test]
fn looking_whether_there_is_something_is_no_miss() {
    let served = Served::new();
    served.send(&Request::new("HEAD", "/v1/artifacts/a"));
    served.put("a", "beans");
    served.send(&Request::new("PUT", "/v1/artifacts/a").body("beans").header("If-None-Match", "*"));
    assert!(words(&page(&served, "/")).contains("Nobody has asked for anything"));
    served.get("a");
    served.get("b");
    assert!(words(&page(&served, "/")).contains("50.0 % of 2 requests"));
}

#[test]
fn other_tools_have_rows_of_their_own() {
    let served = Served::new();
    let path = format!("/gradle/{}", super::openapi::KEY);
    served.send(&Request::new("PUT", &path).body("beans"));
    served.send(&Request::new("GET", &path));
    let first = page(&served, "/");
    assert!(words(&first).contains("gradle 1 5 B 1 100 %"), "{}", words(&first));
    assert!(first.contains("href=\"/page/objects?protocol=gradle\""));
    assert!(words(&page(&served, "/page/objects?protocol=gradle")).contains("1 object, 5 B"));
}

#[test]
fn hits_and_misses_of_all_tools_count() {
    let served = Served::new();
    let paths = ["/gradle/", "/ac/", "/shop/ac/", "/v1/cache/", "/v8/artifacts/", "/ccache/", "/webdav/"];
    for path in
        paths.map(|path| format!("{path}{}", super::openapi::KEY)).iter().chain(&["/p/beans-1.0.zip".to_owned()])
    {
        let send = |method: &str| {
            let request = Request::new(method, path);
            served.send(&if method == "PUT" { request.body("beans") } else { request }).status
        };
        assert_eq!(
            [send("GET"), send("HEAD"), send("PUT") / 100, send("HEAD"), send("GET")],
            [404, 404, 2, 200, 200],
            "{path}"
        );
    }
    let page = words(&page(&served, "/"));
    assert!(page.contains("50.0 % of 16 requests"), "{page}");
    for tool in ["bazel", "ccache", "curdling", "gradle", "nx", "turbo", "webdav"] {
        assert!(page.contains(&format!(" {tool} ")), "{tool}: {page}");
    }
}

#[test]
fn settings_of_clients_lead_to_what_is_there() {
    let served = Served::new();
    let connect = clear(&page(&served, "/page/connect"));
    for (setting, asked) in [
        ("url = \"http://here/v1/artifacts\"", "/v1/artifacts/a"),
        ("--remote_cache=http://here\n", "/ac/{key}"),
        ("url = 'http://here/gradle/'", "/gradle/{key}"),
        ("TURBO_API=http://here\n", "/v8/artifacts/{key}"),
        ("REMOTE_CACHE_SERVER=http://here\n", "/v1/cache/{key}"),
        ("remote_storage = http://here/ccache\n", "/ccache/{key}"),
        ("WEBDAV_ENDPOINT=http://here/webdav\n", "/webdav/.sccache_check"),
        ("curd install -c http://here/ ", "/api/beans"),
        ("--find-links http://here/page/packages ", "/page/packages"),
    ] {
        assert!(connect.replace("</code>", "\n").contains(setting), "{setting}: {connect}");
        let answer = served.send(&super::openapi::request("GET", asked));
        let is_known = answer.status == 200 || !text(answer).contains("nothing at this address");
        assert!(is_known, "{setting} leads nowhere");
    }
}

#[test]
fn many_objects_come_page_by_page() {
    let served = Served::new();
    for number in 0..103 {
        served.put(&format!("bean-{number}"), "x");
    }
    let rows = |path: &str| clear(&page(&served, path)).matches("<a href=\"/v1/artifacts/bean-").count();
    assert_eq!([rows("/page/objects?q=BEAN"), rows("/page/objects?q=bean&page=2")], [100, 3]);
    assert_eq!([rows("/page/objects?q=bean-7"), rows("/page/objects?q=bean+tea")], [11, 0]);
    let first = page(&served, "/page/objects?q=bean");
    assert!(first.contains("q=bean&amp;page=2\" rel=\"next\"") && !first.contains("rel=\"prev\""), "{first}");
    assert!(page(&served, "/page/objects?q=bean&page=99").contains("There is no page 99"));
}

#[test]
fn whoever_may_not_read_is_asked_who_they_are() {
    let served = Served::guarded(&["anna:{TOKEN}TOKEN:server=reader", "ci:{TOKEN}beans:artifacts=admin"], |_| {});
    let asked = served.send(&Request::new("GET", "/"));
    assert_eq!(
        (asked.status, asked.header("www-authenticate")),
        (401, Some(r#"Basic realm="cortado", charset="UTF-8""#))
    );
    let anna = served.send(&Request::new("GET", "/").header("Authorization", "Bearer espresso"));
    assert!(anna.status == 200 && words(&text(anna)).contains("you are anna"));
}

#[test]
fn head_says_what_get_would() {
    let served = Served::new();
    for path in ["/", "/page/objects", "/page/connect", "/page/style.css", "/page/icon.svg"] {
        let (head, get) = (served.send(&Request::new("HEAD", path)), served.send(&Request::new("GET", path)));
        assert_eq!((head.status, head.body.len(), get.status), (200, 0, 200), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    let style = served.send(&Request::new("GET", "/page/style.css"));
    let again = Request::new("GET", "/page/style.css").header("If-None-Match", style.header("etag").unwrap());
    assert_eq!(served.send(&again).status, 304);
}
