//! Other people's servers, started for one story: on a free port of the loopback, with their state in a directory of
//! their own, and gone when the story is over.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::wanted::{find, wanted};

/// A running server.
pub(crate) struct Service {
    pub(crate) port: u16,
    dir: TempDir,
    child: Child,
}

impl Service {
    /// Starts a program with the words that `words` makes of its directory and its port. `None` where there is none.
    pub(crate) fn start(name: &str, words: impl Fn(&Path, u16) -> Vec<String>) -> Option<Self> {
        let program = wanted(name)?;
        // Someone else may take the port between finding and using it.
        let started = (0..3).find_map(|_| Self::try_start(&program, &words));
        Some(started.unwrap_or_else(|| panic!("`{name}` does not start")))
    }

    fn try_start(program: &Path, words: &impl Fn(&Path, u16) -> Vec<String>) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let words = words(dir.path(), port);
        let output = std::fs::File::create(dir.path().join("output")).unwrap();
        let child = Command::new(program)
            .args(words)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut service = Self { port, dir, child };
        service.wait().then_some(service)
    }

    /// Waits until it answers; `false` when it ends instead, or takes for ever.
    fn wait(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{}", std::fs::read_to_string(self.dir.path().join("output")).unwrap_or_default());
        false
    }

    /// `http://127.0.0.1:port`
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Redis, which wants a password if one is given.
pub(crate) fn redis(password: &str) -> Option<Service> {
    Service::start("redis-server", |dir, port| {
        let words = format!("--port {port} --bind 127.0.0.1 --save  --daemonize no --dir {}", dir.display());
        let mut words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        if !password.is_empty() {
            words.extend(["--requirepass".to_owned(), password.to_owned()]);
        }
        words
    })
}

/// Memcached, with values of at most that size.
pub(crate) fn memcached(value_limit: &str) -> Option<Service> {
    Service::start("memcached", |_, port| split(&format!("-l 127.0.0.1 -p {port} -u nobody -m 256 -I {value_limit}")))
}

/// An S3 with the bucket `shop`.
pub(crate) fn s3() -> Option<Service> {
    let service = Service::start("moto_server", |_, port| split(&format!("-H 127.0.0.1 -p {port}")))?;
    let made = ureq::put(format!("{}/shop", service.url())).send_empty().unwrap();
    assert_eq!(made.status(), 200);
    Some(service)
}

/// A Google Cloud Storage with the bucket `shop`.
pub(crate) fn gcs() -> Option<Service> {
    Service::start("gcp-storage-emulator", |_, port| {
        split(&format!("start --host=127.0.0.1 --port={port} --in-memory --default-bucket=shop"))
    })
}

/// An Azure Blob Storage with the container `shop`, and how to connect to it.
pub(crate) fn azblob() -> Option<(Service, String)> {
    let service = Service::start("azurite-blob", |_, port| {
        let words = "--silent --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --blobHost 127.0.0.1";
        split(&format!("{words} --blobPort {port}"))
    })?;
    let url = format!("{}/devstoreaccount1", service.url());
    let python = find("python3").unwrap();
    let made = Command::new(python).args(["-c", CONTAINER, &url, AZURE_KEY]).status().unwrap();
    assert!(made.success());
    Some((service, format!("AccountName=devstoreaccount1;AccountKey={AZURE_KEY};BlobEndpoint={url};")))
}

/// The key that every emulator of Azure has.
pub(crate) const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Makes a container: a signed request (learn.microsoft.com, "Authorize with Shared Key").
const CONTAINER: &str = r#"
import base64, email.utils, hashlib, hmac, sys, urllib.request
url, key = sys.argv[1:]
headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06", "Content-Type": "", "Content-Length": "0"}
signed = "\n".join(["PUT", "", "", "", "", "", "", "", "", "", "", "", f"x-ms-date:{headers['x-ms-date']}",
    "x-ms-version:2021-08-06", "/devstoreaccount1/devstoreaccount1/shop", "restype:container"])
signature = base64.b64encode(hmac.digest(base64.b64decode(key), signed.encode(), "sha256")).decode()
headers["Authorization"] = "SharedKey devstoreaccount1:" + signature
urllib.request.urlopen(urllib.request.Request(url + "/shop?restype=container", method="PUT", headers=headers, data=b""))
"#;

/// An nginx that keeps files by WebDAV, and wants to hear `me` and `hush`.
pub(crate) fn nginx() -> Option<Service> {
    Service::start("nginx", |dir, port| {
        std::fs::create_dir(dir.join("root")).unwrap();
        std::fs::write(dir.join("users"), "me:{PLAIN}hush\n").unwrap();
        let dir = dir.display();
        let module = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so";
        let module = if Path::new(module).exists() { format!("load_module {module};") } else { String::new() };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.map(|what| format!("{what}_temp_path {dir}/tmp;")).concat();
        let config = format!(
            "{module} daemon off; master_process off; pid {dir}/pid; error_log {dir}/errors; events {{}}
             http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root {dir}/root;
             client_max_body_size 0; auth_basic x; auth_basic_user_file {dir}/users;
             location / {{ dav_methods PUT DELETE MKCOL; dav_ext_methods PROPFIND OPTIONS; }} }} }}"
        );
        std::fs::write(format!("{dir}/nginx.conf"), config).unwrap();
        split(&format!("-p {dir} -c {dir}/nginx.conf -e {dir}/errors"))
    })
}

fn split(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}
