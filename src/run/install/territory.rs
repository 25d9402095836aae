//! Which paths a project may install to: below its install directory, and the extra files that it names.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::error::{Error, Result};
use crate::host::fs::probe;
use crate::host::listing::{Entry, Kind};

#[derive(Debug)]
pub(super) struct Territory {
    install_dir: PathBuf,
    /// The install directory as paths in trees begin: without the slash.
    prefix: PathBuf,
    extra_files: GlobSet,
}

/// Where a path of a tree lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side<'p> {
    /// At or above the install directory: nothing to do.
    Above,
    /// Below the install directory, at this path from there.
    Inside(&'p Path),
    /// Elsewhere on the system.
    Outside,
}

impl Territory {
    pub(super) fn new(install_dir: &Path, extra_files: GlobSet) -> Self {
        let prefix = install_dir.strip_prefix("/").unwrap_or(install_dir).components().collect();
        Self { install_dir: install_dir.to_path_buf(), prefix, extra_files }
    }

    pub(super) fn install_dir(&self) -> &Path {
        &self.install_dir
    }

    /// The install directory as paths in trees begin.
    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    pub(super) fn side<'p>(&self, path: &'p Path) -> Side<'p> {
        match path.strip_prefix(&self.prefix) {
            Ok(below) if !below.as_os_str().is_empty() => Side::Inside(below),
            _ if self.prefix.starts_with(path) => Side::Above,
            _ => Side::Outside,
        }
    }

    /// Refuses a tree that has anything where it may not. Directories outside are allowed for what is in them.
    pub(super) fn check(&self, task: &str, entries: &[Entry]) -> Result<()> {
        let parents: HashSet<&Path> = entries.iter().filter_map(|entry| entry.path.parent()).collect();
        let allowed = |entry: &Entry| match (self.side(&entry.path), &entry.kind) {
            (Side::Inside(_), _) | (Side::Above, Kind::Directory) => true,
            (Side::Above, _) => false,
            (Side::Outside, Kind::Directory) if parents.contains(&*entry.path) => true,
            (Side::Outside, _) => self.extra_files.is_match(Path::new("/").join(&entry.path)),
        };
        match entries.iter().find(|entry| !allowed(entry)) {
            None => Ok(()),
            Some(entry) => Err(Error::Outside {
                task: task.to_owned(),
                path: Path::new("/").join(&entry.path),
                install_dir: self.install_dir.clone(),
            }),
        }
    }

    /// What is where a directory should be. Outside, the system's symlinks to directories are as good as directories.
    pub(super) fn look_at_directory(&self, path: &Path) -> Option<Metadata> {
        let place = Path::new("/").join(path);
        let found = probe(&place).ok().flatten();
        match self.side(path) {
            Side::Outside => fs::metadata(&place).ok().filter(Metadata::is_dir).or(found),
            _ => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_side() {
        let territory = Territory::new(Path::new("/opt/shop/"), GlobSet::empty());
        assert_eq!(territory.side(Path::new("opt")), Side::Above);
        assert_eq!(territory.side(Path::new("opt/shop")), Side::Above);
        assert_eq!(territory.side(Path::new("opt/shop/bin/x")), Side::Inside(Path::new("bin/x")));
        assert_eq!(territory.side(Path::new("opt/shopping")), Side::Outside);
        assert_eq!(territory.side(Path::new("etc")), Side::Outside);
    }
}
