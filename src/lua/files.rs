//! The files that a recipe may read: those below its own directory, each once. What was read is remembered, so that a
//! second state made from the same recipe sees the same bytes whatever has happened on disk since.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::mistake::Mistake;

/// Everything that was read, by its path below the recipe directory.
pub(super) type Record = BTreeMap<PathBuf, Arc<[u8]>>;

/// Files below a directory.
pub(super) struct Files {
    dir: PathBuf,
    largest: u64,
    live: bool,
    record: RefCell<Record>,
    /// Whether something was asked for that could not be read.
    missed: Cell<bool>,
}

impl Files {
    /// The files below `dir`, an absolute path without symbolic links; larger ones than `largest` bytes are refused.
    pub(super) fn below(dir: PathBuf, largest: u64) -> Self {
        Self { dir, largest, live: true, record: RefCell::default(), missed: Cell::new(false) }
    }

    /// Files that were read before: the disk is not looked at again.
    pub(super) fn recorded(dir: PathBuf, record: Record) -> Self {
        Self { dir, largest: 0, live: false, record: RefCell::new(record), missed: Cell::new(false) }
    }

    /// The recipe directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The bytes of a file.
    pub(super) fn read(&self, path: &str) -> Result<Arc<[u8]>, Mistake> {
        let path = inside(path)?;
        if let Some(bytes) = self.record.borrow().get(&path) {
            return Ok(bytes.clone());
        }
        if !self.live {
            let problem = format!("`{}` was not read when the recipe was", path.display());
            return Err(Mistake::new(problem).hint("read it outside the callback and keep what it says in a local"));
        }
        let bytes: Arc<[u8]> = self.read_disk(&path).inspect_err(|_| self.missed.set(true))?.into();
        self.record.borrow_mut().insert(path, bytes.clone());
        Ok(bytes)
    }

    /// Everything read so far.
    pub(super) fn record(&self) -> Record {
        self.record.borrow().clone()
    }

    /// Whether something was asked for that could not be read: a recipe may go on without, and then says something else
    /// once it is there.
    pub(super) fn have_missed(&self) -> bool {
        self.missed.get()
    }

    fn read_disk(&self, path: &Path) -> Result<Vec<u8>, Mistake> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| Mistake::new(format!("could not read `{shown}`: {error}"));
        let real = self.dir.join(path).canonicalize().map_err(unreadable)?;
        if !real.starts_with(&self.dir) {
            let problem = format!("`{shown}` leads out of the recipe's directory");
            return Err(Mistake::new(problem).hint("copy the file to where the recipe is"));
        }
        let metadata = real.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Mistake::new(format!("`{shown}` is not a file")));
        }
        if metadata.len() > self.largest {
            return Err(Mistake::new(format!("`{shown}` is larger than the recipe's memory")));
        }
        std::fs::read(&real).map_err(unreadable)
    }
}

/// A relative path without `..`, cleaned of `.`.
fn inside(path: &str) -> Result<PathBuf, Mistake> {
    let mut clean = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => {
                let problem = format!("`{path}` is not a path below the recipe's directory");
                return Err(Mistake::new(problem).hint("use a relative path without `..`"));
            }
        }
    }
    Ok(clean)
}
