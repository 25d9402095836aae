//! The toolbox in directories of its own: what its author does to it, and what comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cortado::lua::{Recipe, RecipeOptions};
use cortado::{Digest, DirectoryStore, Engine, Event, Project, Report};
use tempfile::TempDir;

use crate::support::{Look, look};

/// A copy of the recipe, and the directories that it is built with.
pub(super) struct Product {
    root: TempDir,
    sources: PathBuf,
    install_dir: PathBuf,
    work_dir: PathBuf,
}

/// What came of a run.
pub(super) struct Run {
    report: Report,
    /// How many steps were run.
    pub(super) steps: usize,
}

impl Product {
    pub(super) fn new(sources: PathBuf) -> Self {
        let root = tempfile::tempdir().unwrap();
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua/toolbox");
        copy(&recipe, &root.path().join("recipe"));
        Self { install_dir: root.path().join("install"), work_dir: root.path().join("work"), sources, root }
    }

    pub(super) fn install_dir(&self) -> &Path {
        &self.install_dir
    }

    pub(super) fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    pub(super) fn project(&self) -> Project {
        let recipe = Recipe::load(&self.recipe(), &RecipeOptions::default()).unwrap();
        let project = recipe.project().install_dir(&self.install_dir).work_dir(&self.work_dir);
        // The last word on how hard the compiler tries: a test has to be quick more than its product.
        project.env([("CFLAGS", "-O1")]).build().unwrap()
    }

    pub(super) fn run(&self) -> Run {
        let project = self.project();
        let steps = Arc::new(AtomicUsize::new(0));
        let counter = steps.clone();
        let report = self.engine(&project).observe(move |event| count(event, &counter)).run().unwrap();
        let report = report.check().unwrap();
        Run { report, steps: steps.load(Ordering::Relaxed) }
    }

    /// The digests of the artifacts, by task.
    pub(super) fn artifacts(&self) -> BTreeMap<String, Digest> {
        let project = self.project();
        let preview = self.engine(&project).preview().unwrap();
        let names = preview.plan().tasks().iter().map(|task| task.name().to_owned());
        names.zip(preview.artifacts().iter().map(|digest| digest.unwrap())).collect()
    }

    /// Everything that is installed.
    pub(super) fn installed(&self) -> BTreeMap<PathBuf, Look> {
        look(&self.install_dir)
    }

    /// The installed files in which a path is found.
    pub(super) fn installed_with(&self, path: &Path) -> Vec<PathBuf> {
        let wanted = path.as_os_str().as_bytes();
        let mut paths: Vec<_> = self.installed().into_keys().collect();
        paths.retain(|file| {
            let content = fs::read(self.install_dir.join(file)).unwrap_or_default();
            content.windows(wanted.len()).any(|bytes| bytes == wanted)
        });
        paths
    }

    pub(super) fn wipe_install_dir(&self) {
        fs::remove_dir_all(&self.install_dir).unwrap();
    }

    pub(super) fn wipe_work_dir(&self) {
        fs::remove_dir_all(&self.work_dir).unwrap();
    }

    pub(super) fn edit_recipe(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.recipe()).unwrap();
        assert!(text.contains(from), "the recipe has no {from}");
        fs::write(self.recipe(), text.replace(from, to)).unwrap();
    }

    fn recipe(&self) -> PathBuf {
        self.root.path().join("recipe/cortado.lua")
    }

    fn engine<'p>(&self, project: &'p Project) -> Engine<'p> {
        let store = DirectoryStore::open(self.root.path().join("cache")).unwrap();
        Engine::new(project).store(store).sources(&self.sources).offline(true)
    }
}

impl Run {
    /// The tasks that ended like this, sorted by name.
    pub(super) fn ended(&self, how: &str) -> Vec<&str> {
        let tasks = self.report.tasks.iter().filter(|task| task.outcome.to_string() == how);
        let mut names: Vec<_> = tasks.map(|task| task.name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

fn count(event: &Event, steps: &AtomicUsize) {
    if matches!(event, Event::StepStarted { .. }) {
        steps.fetch_add(1, Ordering::Relaxed);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).unwrap() }
    }
}
