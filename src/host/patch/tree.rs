//! The files that a patch touches: as they are on disk until something is put, as they shall be afterwards. Nothing
//! is written before [`Tree::write`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::host::busy;

/// A directory with changes that are not on disk yet.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    dir: &'a Path,
    /// Changed files by their paths below `dir`; `None` is deleted.
    changed: BTreeMap<PathBuf, Option<Content>>,
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Permission bits.
    pub(super) mode: u32,
}

impl<'a> Tree<'a> {
    pub(super) fn new(dir: &'a Path) -> Self {
        Self { dir, changed: BTreeMap::new() }
    }

    /// A file as it is now, or `None` where nothing is.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Content>> {
        if let Some(content) = self.changed.get(path) {
            return Ok(content.clone());
        }
        let full = self.dir.join(path);
        self.refuse_symlinks(path)?;
        let metadata = match fs::symlink_metadata(&full) {
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
                return Ok(None);
            }
            other => other.map_err(Error::io("read", &full))?,
        };
        let bytes = fs::read(&full).map_err(Error::io("read", &full))?;
        Ok(Some(Content { bytes, mode: metadata.permissions().mode() & 0o7777 }))
    }

    /// Says what a file shall be.
    pub(super) fn put(&mut self, path: &Path, content: Option<Content>) {
        self.changed.insert(path.to_path_buf(), content);
    }

    /// Writes every change: first all new content beside its place, then all renames and removals.
    pub(super) fn write(self) -> Result<()> {
        let _nobody_starts = busy::writing();
        let mut ready = Vec::new();
        for (path, content) in &self.changed {
            if let Some(content) = content {
                ready.push((self.dir.join(path), self.prepare(path, content)?));
            }
        }
        for (full, file) in ready {
            file.persist(&full).map_err(|error| Error::io("replace", &full)(error.error))?;
        }
        let deleted = self.changed.iter().filter(|(_, content)| content.is_none());
        deleted.map(|(path, _)| path).try_for_each(|path| self.remove(path))
    }

    fn prepare(&self, path: &Path, content: &Content) -> Result<NamedTempFile> {
        let full = self.dir.join(path);
        let parent = full.parent().unwrap_or(self.dir);
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        let mut file = NamedTempFile::new_in(parent).map_err(Error::io("create a file in", parent))?;
        file.write_all(&content.bytes).map_err(Error::io("write", &full))?;
        let mode = Permissions::from_mode(content.mode);
        file.as_file().set_permissions(mode).map_err(Error::io("change the mode of", &full))?;
        Ok(file)
    }

    /// Removes a file, and the directories that it leaves empty.
    fn remove(&self, path: &Path) -> Result<()> {
        let full = self.dir.join(path);
        match fs::remove_file(&full) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &full)(error)),
            _ => {}
        }
        let above = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
        // The first that is not empty ends it.
        let _ = above.map(|dir| fs::remove_dir(self.dir.join(dir))).take_while(io::Result::is_ok).count();
        Ok(())
    }

    /// Nothing of a path may be a symlink: it could lead anywhere.
    fn refuse_symlinks(&self, path: &Path) -> Result<()> {
        for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            let full = self.dir.join(part);
            if full.is_symlink() {
                let source =
                    io::Error::new(io::ErrorKind::InvalidInput, "it is a symlink, which a patch may not follow");
                return Err(Error::Io { verb: "patch", path: full, source });
            }
        }
        Ok(())
    }
}

/// A name of a patch as a path below the directory, without its `strip` leading directories; `None` if it has fewer.
pub(super) fn relative(name: &[u8], strip: usize) -> Result<Option<PathBuf>, &'static str> {
    if name.starts_with(b"/") && strip == 0 {
        return Err("its name is absolute, and a patch stays within its directory");
    }
    let mut rest = name;
    for _ in 0..strip {
        let Some(slash) = rest.iter().position(|byte| *byte == b'/') else { return Ok(None) };
        let (_, after) = rest.split_at(slash);
        let run = after.iter().take_while(|byte| **byte == b'/').count();
        rest = after.get(run..).unwrap_or_default();
    }
    let path = Path::new(OsStr::from_bytes(rest));
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return Err("its name leads out of the directory that is patched"),
        }
    }
    Ok((!clean.as_os_str().is_empty()).then_some(clean))
}
