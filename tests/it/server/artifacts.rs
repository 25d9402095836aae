//! The own protocol: what is put is got, the first one stays, and much is asked at once.

use cortado::stores::Http;
use cortado::{CachePolicy, Digest, Put, Store, Stored};
use serde_json::json;

use super::client::{Answer, Request};
use super::served::Served;
use crate::support::Shop;

/// `sha-256=:…:` of some bytes, by a program that is not ours.
fn digest(content: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$0\" | openssl dgst -sha256 -binary | base64", content])
        .output()
        .unwrap();
    format!("sha-256=:{}:", String::from_utf8(output.stdout).unwrap().trim())
}

#[test]
fn what_is_put_is_got() {
    let served = Served::new();
    let put =
        served.send(&Request::new("PUT", "/v1/artifacts/a").body("beans").header("Content-Digest", digest("beans")));
    assert_eq!(put.status, 201);
    let got = served.get("a");
    assert_eq!((got.status, got.body.as_slice(), got.header("etag")), (200, &b"beans"[..], put.header("etag")));
    assert_eq!(got.header("etag").unwrap(), format!("\"{}\"", Digest::of("beans")));
    let digests = [got.header("content-digest"), got.header("repr-digest")];
    assert_eq!(digests, [Some(digest("beans").as_str()); 2]);
    assert_eq!(
        (got.header("content-type"), got.header("x-content-type-options")),
        (Some("application/octet-stream"), Some("nosniff"))
    );
    assert_eq!(served.get("b").detail(), "there is no such object");
}

#[test]
fn parts_are_got_of_the_content_that_is_meant() {
    let served = Served::new();
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
    let tag = served.put("a", &content).header("etag").unwrap().to_owned();
    let part = |header: &str, more: &[(&str, &str)]| -> Answer {
        let request = Request::new("GET", "/v1/artifacts/a").header("Range", header);
        served.send(&more.iter().fold(request, |request, (name, value)| request.header(name, *value)))
    };
    let got = part("bytes=1000-2000999", &[]);
    assert_eq!((got.status, got.header("content-range")), (206, Some("bytes 1000-2000999/3000000")));
    assert!(got.body == content[1000..2_001_000] && got.header("content-digest").is_none());
    assert_eq!(part("bytes=-5", &[]).body, content[2_999_995..]);
    assert_eq!(part("bytes=1-2", &[("If-Range", &tag)]).status, 206);
    assert_eq!(part("bytes=1-2", &[("If-Range", "\"other\"")]).body.len(), 3_000_000);
    let beyond = part("bytes=3000000-", &[]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */3000000")));
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let served = Served::new();
    let tag = served.put("a", "beans").header("etag").unwrap().to_owned();
    let got = |tags: String| served.send(&Request::new("GET", "/v1/artifacts/a").header("If-None-Match", tags));
    for known in [tag.clone(), format!("\"x\", {tag}"), format!("W/{tag}")] {
        let answer = got(known);
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(tag.as_str())));
    }
    assert_eq!(got("\"x\"".into()).status, 200);
}

#[test]
fn the_first_one_stays_unless_it_is_to_be_replaced() {
    let served = Served::new();
    assert_eq!((served.put("a", "beans").status, served.put("a", "beans").status), (201, 200));
    let other = served.put("a", "bones");
    assert_eq!(other.header("etag").unwrap(), format!("\"{}\"", Digest::of("beans")));
    assert_eq!(other.detail(), "there is an object of that name with another content");
    let once = Request::new("PUT", "/v1/artifacts/a").header("If-None-Match", "*").header("Cortado-Replace", "true");
    assert_eq!(served.send(&once.body("bones")).status, 412);
    let replace = Request::new("PUT", "/v1/artifacts/a").header("Cortado-Replace", "true");
    assert_eq!((served.send(&replace.body("bones")).status, served.get("a").body), (201, b"bones".to_vec()));
}

#[test]
fn many_are_asked_for_at_once() {
    let served = Served::new();
    served.put("a", "one");
    served.put("c", "two");
    let ask = |body: &str| served.send(&Request::new("POST", "/v1/artifacts/exists").body(body));
    let answer = ask(r#"{"names": ["c", "b", "a", "a"]}"#);
    assert_eq!(answer.json(), json!({ "present": ["c", "a", "a"], "missing": ["b"] }));
    for wrong in ["", "[]", "{}", r#"{"names": [1]}"#, r#"{"names": [], "more": 1}"#] {
        assert_eq!(ask(wrong).status, 400, "{wrong}");
    }
    let names: Vec<_> = (0..10_001).map(|n| n.to_string()).collect();
    assert_eq!(ask(&json!({ "names": names }).to_string()).detail(), "`names` has more than 10000 names");
}

#[test]
fn the_list_has_pages() {
    let served = Served::new();
    for n in 0..7 {
        served.put(&format!("x{n}"), "beans");
    }
    served.put("other", "beans");
    let page = |query: &str| served.send(&Request::new("GET", &format!("/v1/artifacts?{query}")));
    let names = |answer: &Answer| -> Vec<String> {
        let page = answer.json();
        page["artifacts"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().into()).collect()
    };
    let (mut all, mut query) = (Vec::new(), "limit=3&prefix=x".to_owned());
    for count in [3, 3, 1] {
        let answer = page(&query);
        assert_eq!((names(&answer).len(), answer.json().get("next").is_some()), (count, count == 3));
        all.extend(names(&answer));
        query = format!("limit=3&prefix=x&after={}", all.last().unwrap());
        assert!(count < 3 || answer.json()["next"] == *all.last().unwrap());
    }
    all.sort();
    assert_eq!(all, (0..7).map(|n| format!("x{n}")).collect::<Vec<_>>());
    served.send(&Request::new("DELETE", "/v1/artifacts/x3"));
    let rest = |after: &str| names(&page(&format!("limit=100&after={after}")));
    assert!(rest("x3").len() < 8 && names(&page("limit=100")).len() == 7, "a name goes on where it was");
    let entry = &page("prefix=other").json()["artifacts"][0];
    assert!(entry["size"] == 5 && entry["stored"].is_u64() && entry["pinned"] == false, "{entry}");
    for wrong in ["limit=0", "limit=-1", "limit=1000000", "limit=x", "per_page=1"] {
        assert_eq!(page(wrong).status, 400, "{wrong}");
    }
}

#[test]
fn a_second_machine_builds_nothing() {
    let (served, shop) = (Served::new(), Shop::new());
    let store = || Http::new(served.url("/v1/artifacts")).open().unwrap();
    let project = shop.project([shop.ware("a", "one"), shop.ware("b", "two").depends_on("a")]);
    let run = || shop.run_with(&project, |engine| engine.store(store()).cache_policy(CachePolicy::RequireWrite));
    assert_eq!(run().of("b"), "built");
    shop.clean();
    let second = run();
    assert_eq!((second.of("a"), second.of("b"), shop.count("a")), ("restored".into(), "restored".into(), 1));
    let name = store()
        .list()
        .unwrap()
        .map(|listed| listed.unwrap())
        .find(|listed| listed.provenance.task.as_deref() == Some("b"));
    let described = store().describe(&name.unwrap().name).unwrap().unwrap();
    assert_eq!(described.provenance.project.as_deref(), Some("shop"));
}

#[test]
fn a_product_that_differs_is_told_to_its_builder() {
    let (served, shop) = (Served::new(), Shop::new());
    let store = Http::new(served.url("/v1/artifacts")).open().unwrap();
    let project = shop.project([shop.ware("a", "one")]);
    shop.run_with(&project, |engine| engine.store(Http::new(served.url("/v1/artifacts")).open().unwrap()));
    let name = store.list().unwrap().next().unwrap().unwrap().name;
    let mut put = Put::default();
    put.digest = Some(Digest::of("another tar"));
    assert!(matches!(store.put(&name, &mut &b"another"[..], &put).unwrap(), Stored::Differs(_)));
}

#[test]
fn an_answer_that_arrived_is_not_called_broken() {
    let served = Served::new();
    served.put("beans", "arabica");
    served.send(&Request::new("HEAD", "/v1/artifacts/beans"));
    served.send(&Request::new("HEAD", "/v1/artifacts/milk"));
    served.get("beans");
    served.send(&Request::new("GET", "/v1/artifacts/").header("accept", "application/x-ndjson"));
    // Each is told of when it is over, which a client may know a moment earlier.
    let requests = || served.events().iter().filter(|event| event.starts_with("Request")).count();
    while requests() < 5 {
        std::thread::yield_now();
    }
    let broken: Vec<_> = served.events().into_iter().filter(|event| event.contains("complete: false")).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn the_doctor_finds_a_server_well() {
    let served = Served::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cortado.lua"), r#"project "shop" { install_dir = "out" }"#).unwrap();
    let toml = format!("[stores.team]\ntype = \"http\"\nurl = \"{}\"\n", served.url("/v1/artifacts"));
    std::fs::write(dir.path().join("cortado.toml"), toml).unwrap();
    let mut doctor = std::process::Command::new(env!("CARGO_BIN_EXE_cortado"));
    doctor.args(["doctor", "--store", "team"]).current_dir(dir.path()).env_clear().env("HOME", dir.path());
    let said = doctor.output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && text.contains("written, read back, compared and removed"), "{said:?}");
    assert!(!served.events().iter().any(|event| event.contains("quarantine")), "{:?}", served.events());
}

#[test]
fn a_second_machine_needs_no_more_than_the_address() {
    let (served, room) = (Served::new(), tempfile::tempdir().unwrap());
    // On all machines it is installed at the same place, which counts into the key.
    let product = room.path().join("product");
    let recipe = format!(
        "local p = project \"shop\" {{ install_dir = \"{}\" }}\n\
         p:task \"a\" {{ version = \"1\", build = function(t) t:command \"echo a > @{{stage_install_dir}}/a\" end }}\n",
        product.display()
    );
    let build = |address: &str, more: &[&str]| {
        let machine = tempfile::tempdir_in(&room).unwrap();
        std::fs::write(machine.path().join("cortado.lua"), &recipe).unwrap();
        // The server is asked whatever is configured.
        let toml = "[cache]\ntiers = []\n[stores.far]\ntype = \"http\"\nurl = \"http://127.0.0.1:1\"\n";
        std::fs::write(machine.path().join("cortado.toml"), toml).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cortado"));
        command.args(["build", "--store", address]).args(more).current_dir(&machine);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("XDG_CACHE_HOME", machine.path());
        let ran = command.output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success() && product.join("a").exists(), "{said}");
        std::fs::remove_dir_all(&product).unwrap();
        (said.contains("restored"), said)
    };
    assert!(!build(&served.url(""), &[]).0);
    assert!(!build(&served.url("/"), &["--upload"]).0, "what is only built is not kept there");
    for address in [served.url(""), served.url("/"), served.url("/v1/artifacts")] {
        let (restored, said) = build(&address, &[]);
        assert!(restored, "{said}");
    }
}
