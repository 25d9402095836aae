//! curdling's protocol: the requests of its client, those of strangers, and the clients themselves.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::client::{Answer, Request};
use super::openapi::Case;
use super::served::Served;
use crate::support::wanted::wanted;

const WHEEL: &str = "beans-1.0-py3-none-any.whl";

/// What the description says of it.
pub(super) fn cases() -> Vec<(Case, Request)> {
    const FILE: &str = "/p/{file}";
    const QUERY: &str = "/s/{query}";
    let of = |method: &str, file: &str| Request::new(method, &format!("/p/{file}"));
    let put = |body: &str| of("PUT", WHEEL).body(body);
    let ask = |method: &str, query: &str| Request::new(method, &format!("/s/{query}"));
    vec![
        (("PUT", FILE, 200), put("beans")),
        (("PUT", FILE, 400), of("PUT", "beans").body("beans")),
        (("PUT", FILE, 409), put("bones")),
        (("PUT", FILE, 411), of("PUT", "a-1.0.zip")),
        (("PUT", FILE, 413), of("PUT", "a-1.0.zip").body(vec![0; (4 << 20) + 1])),
        (("PUT", FILE, 507), of("PUT", "a-1.0.zip").body(vec![0; 2 << 20])),
        (("GET", FILE, 200), of("GET", WHEEL)),
        (("GET", FILE, 206), of("GET", WHEEL).header("Range", "bytes=0-0")),
        (("GET", FILE, 304), of("GET", WHEEL).header("If-None-Match", "*")),
        (("GET", FILE, 416), of("GET", WHEEL).header("Range", "bytes=5-")),
        (("GET", FILE, 400), of("GET", "..%2f..%2fetc%2fpasswd")),
        (("GET", FILE, 404), of("GET", "tea-1.0.zip")),
        (("HEAD", FILE, 200), of("HEAD", WHEEL)),
        (("HEAD", FILE, 400), of("HEAD", "beans")),
        (("HEAD", FILE, 404), of("HEAD", "tea-1.0.zip")),
        (("GET", QUERY, 200), ask("GET", "beans")),
        (("GET", QUERY, 206), ask("GET", "beans").header("Range", "bytes=0-0")),
        (("GET", QUERY, 304), ask("GET", "beans").header("If-None-Match", "*")),
        (("GET", QUERY, 416), ask("GET", "beans").header("Range", "bytes=5-")),
        (("GET", QUERY, 400), ask("GET", "beans%20and%20tea")),
        (("GET", QUERY, 404), ask("GET", "beans%3E=2")),
        (("HEAD", QUERY, 200), ask("HEAD", "beans")),
        (("HEAD", QUERY, 400), ask("HEAD", "beans;;")),
        (("HEAD", QUERY, 404), ask("HEAD", "tea")),
        (("GET", "/api", 200), Request::new("GET", "/api")),
        (("GET", "/api/", 200), Request::new("GET", "/api/")),
        (("GET", "/api/{package}", 200), Request::new("GET", "/api/beans")),
        (("GET", "/api/{package}", 404), Request::new("GET", "/api/tea")),
        (("GET", "/page/packages", 200), Request::new("GET", "/page/packages")),
    ]
}

/// A form as urllib3's `request_encode_body` writes it.
fn form(field: &str, content: &[u8]) -> (String, Vec<u8>) {
    let boundary = "d1a6a4b2f59b4e8c9f6b2a7e3c5d1f00";
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{field}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [head.as_bytes(), content, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn upload(served: &Served, file: &str, content: &[u8]) -> Answer {
    let (kind, body) = form(file, content);
    served.send(&Request::new("PUT", &format!("/p/{file}")).header("Content-Type", kind).body(body))
}

fn get(served: &Served, path: &str) -> Answer {
    served.send(&Request::new("GET", path))
}

#[test]
fn what_is_uploaded_by_a_form_or_plainly_is_got() {
    let served = Served::new();
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let answer = upload(&served, WHEEL, &content);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
    let got = get(&served, &format!("/p/{WHEEL}"));
    assert!(got.status == 200 && got.body == content && got.header("etag").is_some());
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    let plainly = |body: &[u8]| served.send(&Request::new("PUT", &format!("/p/{WHEEL}")).body(body)).status;
    assert_eq!((plainly(&content), plainly(b"bones"), upload(&served, WHEEL, b"bones").status), (200, 409, 409));
    assert!(get(&served, &format!("/p/{WHEEL}")).body == content, "the first one stays");
    assert_eq!(plainly(b""), 400);
}

#[test]
fn packages_are_listed_with_their_versions_files_and_digests() {
    let served = Served::new();
    for (file, content) in [
        ("My_Pkg-1.9.tar.gz", "a"),
        ("my_pkg-1.10-py3-none-any.whl", "b"),
        ("my-pkg-1.10.tar.gz", "c"),
        ("AA-2.0b1.zip", "d"),
    ] {
        assert_eq!(upload(&served, file, content.as_bytes()).status, 200, "{file}");
    }
    assert_eq!(
        (get(&served, "/api").json(), get(&served, "/api/").json()),
        (json!(["aa", "my-pkg"]), json!(["aa", "my-pkg"]))
    );
    let file = |file: &str, content: &str| json!({"url": format!("http://here/p/{file}"), "sha256": cortado::Digest::of(content).to_string()});
    let releases = json!([
        {"name": "my-pkg", "version": "1.10", "urls": [file("my_pkg-1.10-py3-none-any.whl", "b"), file("my-pkg-1.10.tar.gz", "c")]},
        {"name": "my-pkg", "version": "1.9", "urls": [file("My_Pkg-1.9.tar.gz", "a")]},
    ]);
    for name in ["my-pkg", "My_Pkg", "MY.PKG"] {
        assert_eq!(get(&served, &format!("/api/{name}")).json(), releases);
    }
    assert_eq!(get(&served, "/api/AA").json()[0]["version"], "2.0b1");
    let unknown = get(&served, "/api/tea");
    assert_eq!((unknown.status, unknown.json()), (404, json!({"status": "error"})));
}

#[test]
fn the_best_file_for_a_query_is_found() {
    let served = Served::new();
    for file in ["beans-0.9.zip", "beans-1.0.tar.gz", "beans-1.0-py3-none-any.whl", "beans-1.10.tar.gz"] {
        assert_eq!(upload(&served, file, file.as_bytes()).status, 200);
    }
    for (query, file) in [
        ("beans", "beans-1.10.tar.gz"),
        ("Beans==1.0", "beans-1.0-py3-none-any.whl"),
        ("beans%20(1.0);gz", "beans-1.0.tar.gz"),
        ("beans%3C=1.0;~whl", "beans-1.0.tar.gz"),
        ("beans%3C1.10,!=1.0", "beans-0.9.zip"),
    ] {
        let found = get(&served, &format!("/s/{query}"));
        assert_eq!((found.status, String::from_utf8_lossy(&found.body).as_ref()), (200, file), "{query}");
        assert_eq!(found.header("content-disposition"), Some(format!("attachment; filename=\"{file}\"").as_str()));
    }
    let (none, wrong) = (get(&served, "/s/beans%3E2"), get(&served, "/s/%3E2"));
    assert_eq!((none.status, none.body.as_slice()), (404, &b"package not found"[..]));
    assert_eq!((wrong.status, wrong.body.as_slice()), (400, &b"your query is wrong"[..]));
}

#[test]
fn what_is_no_package_leaves_nothing_behind() {
    let served = Served::new();
    for name in
        ["beans", "beans.tar.gz", "..", "..%2fbeans-1.0.zip", "a%00-1.0.zip", ".beans-1.0.zip", "beans-1.0-any.whl"]
    {
        assert_eq!(upload(&served, name, b"beans").status, 400, "{name}");
    }
    let (kind, body) = form("other-1.0.zip", b"beans");
    let put = |body: &[u8]| {
        let request = Request::new("PUT", &format!("/p/{WHEEL}")).header("Content-Type", kind.clone());
        served.send(&request.body(body)).status
    };
    assert_eq!((put(&body), put(b"beans"), put(&body[..body.len() - 8])), (400, 400, 400));
    let (_, cut) = form(WHEEL, &[b'x'; 100_000]);
    assert_eq!((put(&cut[..90_000]), put(&form(WHEEL, b"").1)), (400, 400));
    assert_eq!((served.files(), get(&served, "/api").json()), (vec![], json!([])));
}

#[test]
fn a_file_that_was_removed_is_gone_and_one_that_was_added_is_found() {
    let served = Served::new();
    upload(&served, WHEEL, b"beans");
    upload(&served, "beans-2.0.zip", b"more");
    assert_eq!(get(&served, "/api/beans").json().as_array().unwrap().len(), 2);
    std::fs::remove_file(served.file("curdling~beans-2.0.zip")).unwrap();
    assert_eq!(get(&served, "/api/beans").json().as_array().unwrap().len(), 1);
    assert_eq!(
        (get(&served, "/p/beans-2.0.zip").status, get(&served, "/s/beans").header("content-length")),
        (404, Some("5"))
    );
    assert_eq!(upload(&served, "beans-2.0.zip", b"again").status, 200);
    assert_eq!(get(&served, "/s/beans").body, b"again");
}

#[test]
fn everything_asks_who_one_is_and_readers_do_not_write() {
    let served = Served::guarded(&["ci:{TOKEN}TOKEN:curdling=reader"], |_| {});
    for path in ["/api", "/api/beans", "/p/beans-1.0.zip", "/s/beans", "/page/packages"] {
        let answer = get(&served, path);
        assert_eq!((answer.status, answer.header("www-authenticate").is_some()), (401, true), "{path}");
    }
    let put = Request::new("PUT", "/p/beans-1.0.zip").body("x").header("Authorization", "Bearer espresso");
    assert_eq!(served.send(&put).status, 403);
}

/// A wheel of a package that says `espresso`, as small as one can be.
fn wheel() -> Vec<u8> {
    let script = "import sys, zipfile
zip = zipfile.ZipFile(sys.argv[1], 'w')
info = 'beans-1.0.dist-info/'
zip.writestr('beans.py', \"print('espresso')\\n\")
zip.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: beans\\nVersion: 1.0\\n')
zip.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
zip.writestr(info + 'RECORD', 'beans.py,,\\n' + info + 'METADATA,,\\n' + info + 'WHEEL,,\\n' + info + 'RECORD,,\\n')
zip.close()";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wheel");
    assert!(Command::new("python3").args(["-c", script]).arg(&path).status().unwrap().success());
    std::fs::read(path).unwrap()
}

#[test]
fn pip_installs_what_was_uploaded() {
    let Some(pip) = wanted("pip") else { return };
    let served = Served::new();
    assert_eq!(upload(&served, WHEEL, &wheel()).status, 200);
    let dir = tempfile::tempdir().unwrap();
    let install = |package: &str| {
        let page = served.url("/page/packages");
        Command::new(&pip)
            .args([
                "install",
                "--isolated",
                "--no-cache-dir",
                "--no-index",
                "--find-links",
                &page,
                "--quiet",
                "--target",
            ])
            .arg(dir.path())
            .arg(package)
            .env_remove("PIP_FIND_LINKS")
            .output()
            .unwrap()
    };
    let output = install("beans==1.0");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(dir.path().join("beans.py")).unwrap(), "print('espresso')\n");
    assert!(!install("beans>1.0").status.success());
}

/// The parts of curdling 0.4.1 that speak to a server, from its own package, under the Python 2.7 that it was written for.
const CLIENT: &str = "
from __future__ import print_function
import sys
from curdling.index import Index
from curdling.services.downloader import CurdlingLocator, Downloader
from curdling.services.uploader import Uploader
server, wheel, curds = [text.decode('utf-8') for text in sys.argv[1:]]
locator = CurdlingLocator(server)
print(locator.get_project('beans'), locator.requirements_not_found)
Uploader().handle('main', {'wheel': wheel, 'server': server, 'requirement': 'beans'})
print(' '.join(locator.get_distribution_names()))
locator = CurdlingLocator(server)
dist = locator.get_project('beans')['1.0']
print(dist.metadata.name, dist.metadata.download_url)
field, path = Downloader(index=Index(curds), conf={}).download(dist.metadata.download_url, server)
print(field, open(path, 'rb').read() == open(wheel, 'rb').read())
";

#[test]
fn curdlings_own_client_finds_uploads_and_downloads() {
    let Some((python, site)) = curdling() else {
        eprintln!("NOT RUN: there is no Python 2.7 with curdling 0.4.1 on this machine");
        return;
    };
    let served = Served::guarded(&["ci:$apr1$r31xyzAB$Y06M2WUVxtJafDnRSxFf0.:curdling=writer"], |_| {});
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(WHEEL);
    std::fs::write(&path, wheel()).unwrap();
    let url = format!("http://ci:espresso@{}/", served.address);
    let words = [std::ffi::OsStr::new(&url), path.as_os_str(), dir.path().as_os_str()];
    let output = Command::new(python).env("PYTHONPATH", site).args(["-c", CLIENT]).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let url = served.url(&format!("/p/{WHEEL}"));
    assert_eq!(told.lines().collect::<Vec<_>>(), ["None ['beans']", "beans", &format!("beans {url}"), "wheel True"]);
}

/// Python 2.7, and where curdling lies.
fn curdling() -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    let servers = std::env::var_os("CORTADO_TEST_SERVERS")?;
    let site = Path::new(&servers).join("curdling");
    let python = std::fs::read_to_string(site.join("python")).ok()?;
    Some((python.trim().into(), site))
}
