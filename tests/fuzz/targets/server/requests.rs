//! Any bytes as what varies in a request to the server: each is answered, none by an error of the server, and nothing is written
//! outside of its store.
#![no_main]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use cortado::server::{Listener, Server};
use cortado::{DirectoryOptions, DirectoryStore};
use libfuzzer_sys::fuzz_target;

/// The routes that read more of a request than a name. `{}` is a part of the input; what is left of it is the body.
const HEADS: [&str; 22] = [
    "PUT /v8/artifacts/{}?slug={} HTTP/1.1\r\nx-artifact-tag: {}\r\nx-artifact-duration: {}",
    "GET /v8/artifacts/{}?teamId={} HTTP/1.1\r\nRange: {}\r\nIf-None-Match: {}",
    "POST /v8/artifacts?slug={} HTTP/1.1",
    "POST /v8/artifacts/events HTTP/1.1",
    "PUT /v1/cache/{} HTTP/1.1\r\nContent-Digest: {}",
    "PUT /v1/artifacts/{} HTTP/1.1\r\nCortado-Task: {}\r\nDigest: {}\r\nIf-None-Match: {}",
    "POST /v1/artifacts/exists HTTP/1.1",
    "PUT /{}/cas/{} HTTP/1.1\r\nExpect: {}\r\nContent-Encoding: {}",
    // What is put as a result is read when it is asked for: the rest of an input is one.
    "PUT /ac/0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1",
    "GET /ac/0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1",
    "PUT /ccache/{}/{} HTTP/1.1",
    "PUT /webdav/{} HTTP/1.1",
    "PROPFIND /webdav/{} HTTP/1.1\r\nDepth: {}",
    "MKCOL /webdav/{} HTTP/1.1",
    "GET /{}/ac/{} HTTP/1.1\r\nIf-Range: {}\r\nRange: {}",
    "PUT /p/{} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary={}",
    "PUT /p/beans-1.0.tar.gz HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b",
    "PUT /p/{} HTTP/1.1",
    "GET /s/{} HTTP/1.1",
    "GET /api/{} HTTP/1.1",
    "GET /page/{}?{} HTTP/1.1\r\nX-Forwarded-Proto: {}",
    "{} {} HTTP/1.1\r\n{}: {}\r\nAuthorization: {}",
];

/// Parts the parts of an input.
const END: u8 = b'\n';

/// The socket of a server that runs as long as the process does.
static SOCKET: LazyLock<PathBuf> = LazyLock::new(|| {
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory").keep();
    let options = DirectoryOptions::new().initial_size(16 << 20);
    let store = DirectoryStore::open_with(place.join("store"), &options).expect("a store");
    let socket = place.join("socket");
    let server = Server::new(store).on(vec![Listener::unix(&socket).expect("a socket")]).expect("a server");
    std::thread::spawn(|| server.run());
    socket
});

fuzz_target!(|bytes: &[u8]| {
    let Some((which, input)) = bytes.split_first() else { return };
    let request = request(HEADS[usize::from(*which) % HEADS.len()], input);
    let mut stream = UnixStream::connect(&*SOCKET).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    // A server that refuses may close before it has read everything.
    let _ = stream.write_all(&request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    assert!(!matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock), "it hangs");
    let status = answer.strip_prefix(b"HTTP/1.1 ").map(|rest| rest[0]);
    assert!(answer.is_empty() || matches!(status, Some(b'1'..=b'4')), "{}", String::from_utf8_lossy(&answer));
    let names = std::fs::read_dir(SOCKET.parent().expect("a directory")).expect("still there");
    assert_eq!(names.count(), 2, "something lies beside the store");
});

/// The request that a head makes of an input.
fn request(head: &str, input: &[u8]) -> Vec<u8> {
    let mut parts = input.splitn(head.matches("{}").count() + 1, |byte| *byte == END);
    let mut request = Vec::new();
    for (number, fixed) in head.split("{}").enumerate() {
        if number > 0 {
            request.extend(parts.next().unwrap_or_default());
        }
        request.extend(fixed.as_bytes());
    }
    let body = parts.next().unwrap_or_default();
    request.extend(format!("\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend(body);
    request
}
