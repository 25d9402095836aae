//! A server in this process, on a free port, with a directory of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use cortado::server::{Server, ServerOptions, Stop};
use cortado::{Digest, DirectoryOptions, DirectoryStore, Store, Tier};
use tempfile::TempDir;

use super::client::{Answer, Request};

/// A running server. It ends when it is dropped.
pub(super) struct Served {
    pub(super) dir: TempDir,
    pub(super) address: SocketAddr,
    events: Arc<Mutex<Vec<String>>>,
    stop: Stop,
    thread: Option<JoinHandle<cortado::Result<()>>>,
}

impl Served {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::sized(20 << 30, change)
    }

    pub(super) fn sized(size: u64, change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::start(tempfile::tempdir().unwrap(), size, change)
    }

    /// A server that asks who its clients are. `TOKEN` in a line is the digest of `espresso`.
    pub(super) fn guarded(lines: &[impl AsRef<str>], change: impl FnOnce(&mut ServerOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let users = dir.path().join("users");
        let token = Digest::of("espresso").to_string();
        let text: String =
            lines.iter().map(|line| line.as_ref().replace("}TOKEN", &format!("}}{token}")) + "\n").collect();
        std::fs::write(&users, text).unwrap();
        Self::start(dir, 20 << 30, |options| {
            options.users = Some(users);
            change(options);
        })
    }

    /// A server on a directory that a story has prepared.
    pub(super) fn in_dir(dir: TempDir, change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::start(dir, 20 << 30, change)
    }

    /// A server with an object `a` that another, more patient one, has taken: a machine may be too busy to put it in time.
    pub(super) fn with_object(size: usize, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let patient = Self::new();
        assert_eq!(patient.put("a", vec![1; size]).status, 201);
        Self::in_dir(patient.close(), change)
    }

    fn start(dir: TempDir, size: u64, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let store = store(&dir, size);
        Self::serve(dir, store, change)
    }

    /// A server of any store, which may lie in the directory.
    pub(super) fn serve(dir: TempDir, store: impl Store + 'static, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let mut options = ServerOptions::default();
        change(&mut options);
        Self::run(dir, Server::new(store).options(options))
    }

    /// A server that asks a tier for what it lacks.
    pub(super) fn before(tier: Tier, size: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::new(store(&dir, size)).upstream(tier);
        Self::run(dir, server)
    }

    fn run(dir: TempDir, server: Server) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let told = events.clone();
        let server = server.observe(move |event| told.lock().unwrap().push(format!("{event:?}")));
        let bound = server.bind("127.0.0.1:0").unwrap();
        let (address, stop) = (bound.address(), bound.stopper());
        Self { dir, address, events, stop, thread: Some(std::thread::spawn(|| bound.run())) }
    }

    /// Lets it finish, and waits until it has ended.
    pub(super) fn stop(&mut self) {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    /// Ends it, and hands its directory on.
    pub(super) fn close(mut self) -> TempDir {
        self.stop();
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    /// What was told so far.
    pub(super) fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn send(&self, request: &Request) -> Answer {
        request.send(self.address)
    }

    /// How many requests of a kind were answered like that. Whoever counts may do so as `espresso`.
    pub(super) fn count(&self, method: &str, route: &str, status: u16) -> u64 {
        let metrics = self.send(&Request::new("GET", "/metrics").header("Authorization", "Bearer espresso"));
        let line = format!("cortado_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} ");
        let text = String::from_utf8(metrics.body).unwrap();
        text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    }

    pub(super) fn get(&self, name: &str) -> Answer {
        self.send(&Request::new("GET", &format!("/v1/artifacts/{name}")))
    }

    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Answer {
        self.send(&Request::new("PUT", &format!("/v1/artifacts/{name}")).body(content))
    }

    /// Every file below the store's objects and its writers' drafts.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut dirs = vec![self.dir.path().join("store/objects"), self.dir.path().join("store/writers")];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => dirs.push(path),
                    false if path.ends_with("log") => {}
                    false => files.push(path),
                }
            }
        }
        files
    }

    /// Where an object lies.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files().into_iter().find(|path| path.ends_with(name)).unwrap()
    }
}

/// The store in a directory.
fn store(dir: &TempDir, size: u64) -> DirectoryStore {
    DirectoryStore::open_with(dir.path().join("store"), &DirectoryOptions::new().initial_size(size)).unwrap()
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.abort();
        self.thread.take().map(JoinHandle::join);
    }
}
