//! The shop: a project with directories of its own, run as often as a story wants.

#[cfg(all(feature = "server", feature = "cli"))]
pub(crate) mod browser;
mod report;
/// The web server of the library's own tests.
#[cfg(feature = "http")]
#[path = "../../../src/host/http/server.rs"]
#[allow(dead_code, reason = "its other half is for downloads")]
pub(crate) mod server;
#[cfg(feature = "stores")]
pub(crate) mod service;
mod tree;
#[cfg(any(feature = "stores", feature = "server"))]
pub(crate) mod wanted;
#[cfg(feature = "http")]
pub(crate) mod warehouse;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use cortado::{DirectoryStore, Engine, Error, Event, Project, ProjectBuilder, Report, Task};
use tempfile::TempDir;

pub(crate) use report::Seen;
pub(crate) use tree::{Look, look};

/// A room with an install, a work, a cache and a recipe directory; all of it goes with the shop.
pub(crate) struct Shop {
    room: PathBuf,
    _guard: Option<TempDir>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let shop = Self { room: guard.path().to_path_buf(), _guard: Some(guard) };
        fs::create_dir(shop.path("recipe")).unwrap();
        shop
    }

    /// The shop of another process, which cleans up.
    pub(crate) fn at(room: impl Into<PathBuf>) -> Self {
        Self { room: room.into(), _guard: None }
    }

    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.room.join(below)
    }

    pub(crate) fn installed(&self, below: impl AsRef<Path>) -> PathBuf {
        self.path("install").join(below)
    }

    pub(crate) fn work(&self, below: impl AsRef<Path>) -> PathBuf {
        self.path("work").join(below)
    }

    /// A file of the recipe, with whatever directories it needs.
    pub(crate) fn write(&self, below: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A pipe, by which a story and a step wait for each other: opening it lasts until both ends are open.
    pub(crate) fn pipe(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    /// What is in a file; a text that no file has when there is none.
    pub(crate) fn text(&self, below: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|_| "(absent)".into())
    }

    pub(crate) fn builder(&self) -> ProjectBuilder {
        Project::new("shop")
            .install_dir(self.path("install"))
            .work_dir(self.path("work"))
            .recipe_dir(self.path("recipe"))
    }

    pub(crate) fn project(&self, tasks: impl IntoIterator<Item = Task>) -> Project {
        self.builder().tasks(tasks).build().unwrap()
    }

    pub(crate) fn store(&self) -> DirectoryStore {
        DirectoryStore::open(self.path("cache")).unwrap()
    }

    /// Runs a project with the shop's store.
    pub(crate) fn run(&self, project: &Project) -> Seen {
        self.run_with(project, |engine| engine.store(self.store()))
    }

    /// Runs tasks with the shop's store.
    pub(crate) fn run_tasks(&self, tasks: impl IntoIterator<Item = Task>) -> Seen {
        self.run(&self.project(tasks))
    }

    /// Runs a project as `set` says: without a cache unless it gives one.
    pub(crate) fn run_with<'p>(&self, project: &'p Project, set: impl FnOnce(Engine<'p>) -> Engine<'p>) -> Seen {
        let (events, result) = self.try_run(project, set);
        Seen { events, report: result.unwrap() }
    }

    /// Like [`run_with`](Shop::run_with), for runs that may not take place.
    pub(crate) fn try_run<'p>(
        &self,
        project: &'p Project,
        set: impl FnOnce(Engine<'p>) -> Engine<'p>,
    ) -> (Vec<Event>, Result<Report, Error>) {
        let events = Arc::new(Mutex::new(Vec::new()));
        let recorder = events.clone();
        let engine = Engine::new(project).jobs(2).observe(move |event| recorder.lock().unwrap().push(event.clone()));
        let result = set(engine).run();
        let events = std::mem::take(&mut *events.lock().unwrap());
        (events, result)
    }

    /// Forgets everything but the cache, as a fresh machine would.
    pub(crate) fn clean(&self) {
        for dir in ["install", "work"] {
            remove(&self.path(dir));
        }
    }

    /// How often [`counted`] steps ran.
    pub(crate) fn count(&self, what: &str) -> usize {
        fs::read(self.path(format!("count-{what}"))).map_or(0, |bytes| bytes.len())
    }

    /// A step that counts how often it runs, where no clean-up reaches.
    pub(crate) fn counting(&self, what: &str) -> String {
        format!("printf x >> '{}'", self.path(format!("count-{what}")).display())
    }

    /// A task that installs `share/<name>` with a content, and counts how often it is built.
    pub(crate) fn ware(&self, name: &str, content: &str) -> Task {
        Task::new(name).version("1").command(self.counting(name)).command(format!(
            "mkdir -p @{{stage_install_dir}}/share && printf %s '{content}' > @{{stage_install_dir}}/share/{name}"
        ))
    }

    /// The names below a directory of the shop, sorted.
    pub(crate) fn names(&self, below: impl AsRef<Path>) -> Vec<String> {
        names(&self.path(below))
    }

    /// The objects of the shop's store.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        let root = self.path("cache/objects");
        let mut objects: Vec<_> = names(&root)
            .iter()
            .flat_map(|shard| names(&root.join(shard)).into_iter().map(move |name| PathBuf::from(shard).join(name)))
            .map(|object| root.join(object))
            .collect();
        objects.sort();
        objects
    }

    /// Whether no temporary file is left anywhere.
    pub(crate) fn is_tidy(&self) -> bool {
        let left: Vec<_> = look(&self.room).into_iter().filter(|(path, _)| is_temporary(path)).collect();
        assert!(left.is_empty(), "{left:?}");
        ["restore", "pack"].iter().all(|dir| names(&self.work(dir)).is_empty())
    }
}

fn is_temporary(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".tmp-"))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Removes a directory, whatever its modes are.
pub(crate) fn remove(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for (path, look) in tree::look(dir) {
        if look.is_dir() {
            fs::set_permissions(dir.join(path), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
}

/// Copies a program that is going to be run. Another process writes it: of a file that is open for writing here any
/// child that is just being started would have a copy, and then the kernel does not run it.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}
