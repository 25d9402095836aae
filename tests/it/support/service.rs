//! Other people's servers, started for one story: on a free port of the loopback, with their state in a directory of
//! their own, and gone when the story is over.

use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::wanted::{find, wanted};

/// How long a server may take to get ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Service {
    pub(crate) port: u16,
    _dir: TempDir,
    child: Child,
}

impl Service {
    /// Starts a program with the words that `words` makes of its directory and its port. It listens when it says `ready`.
    /// `None` where there is no such program.
    pub(crate) fn start(name: &str, ready: &str, words: impl Fn(&Path, u16) -> Vec<String>) -> Option<Self> {
        let program = wanted(name)?;
        // Someone else may take the port between finding and using it.
        let started = (0..3).find_map(|_| Self::try_start(&program, ready, &words));
        Some(started.unwrap_or_else(|| panic!("`{name}` does not start")))
    }

    fn try_start(program: &Path, ready: &str, words: &impl Fn(&Path, u16) -> Vec<String>) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let words = words(dir.path(), port);
        let (said, output) = pipe().unwrap();
        let child = Command::new(program)
            .args(words)
            .current_dir(dir.path())
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let service = Self { port, _dir: dir, child };
        says(ready, &lines(said)).then_some(service)
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

/// What somebody says, line by line, to its end: a pipe that nobody empties would stop them.
fn lines(said: PipeReader) -> Receiver<String> {
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
            // Who has heard enough does not listen any more.
            _ = send.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}

/// Waits until somebody says `ready`; `false` when they end instead, or take for ever.
fn says(ready: &str, lines: &Receiver<String>) -> bool {
    let begun = Instant::now();
    while let Ok(line) = lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
        if line.contains(ready) {
            return true;
        }
        eprintln!("{line}");
    }
    false
}

/// Redis, which wants a password if one is given.
pub(crate) fn redis(password: &str) -> Option<Service> {
    Service::start("redis-server", "Ready to accept connections", |dir, port| {
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
    Service::start("memcached", "server listening", |_, port| {
        split(&format!("-vv -l 127.0.0.1 -p {port} -u nobody -m 256 -I {value_limit}"))
    })
}

/// An S3 with the bucket `shop`.
pub(crate) fn s3() -> Option<Service> {
    let service = Service::start("moto_server", "Running on", |_, port| split(&format!("-H 127.0.0.1 -p {port}")))?;
    let made = ureq::put(format!("{}/shop", service.url())).send_empty().unwrap();
    assert_eq!(made.status(), 200);
    Some(service)
}

/// A Google Cloud Storage with the bucket `shop`.
pub(crate) fn gcs() -> Option<Service> {
    Service::start("gcp-storage-emulator", "All services started", |_, port| {
        split(&format!("start --host=127.0.0.1 --port={port} --in-memory --default-bucket=shop"))
    })
}

/// An Azure Blob Storage with the container `shop`, and how to connect to it.
pub(crate) fn azblob() -> Option<(Service, String)> {
    let service = Service::start("azurite-blob", "successfully listens", |_, port| {
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
    // The last thing that it tells of the system: its sockets are open by then.
    Service::start("nginx", "getrlimit", |dir, port| {
        std::fs::create_dir(dir.join("root")).unwrap();
        std::fs::write(dir.join("users"), "me:{PLAIN}hush\n").unwrap();
        let dir = dir.display();
        let module = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so";
        let module = if Path::new(module).exists() { format!("load_module {module};") } else { String::new() };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.map(|what| format!("{what}_temp_path {dir}/tmp;")).concat();
        let config = format!(
            "{module} daemon off; master_process off; pid {dir}/pid; error_log stderr notice; events {{}}
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
