//! A layout: where the paths of a tree lie on disk.
//!
//! Mostly everything that a tree holds lies below one directory, deep in the system. A directory that stands for that one
//! need not have those above it, which are made, dated and looked at for nothing in each of a thousand trees.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::fs::parent;
use super::listing::bytes;
use crate::error::{Error, Result};

/// A directory that stands for another, its top. Paths are those of a tree: from `/`, without the slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    /// What the directory stands for; empty for `/`.
    pub(crate) top: PathBuf,
}

impl Layout {
    /// A directory that stands for `/`: everything lies in it.
    pub(crate) fn whole(dir: &Path) -> Self {
        Self::below(dir, Path::new(""))
    }

    /// A directory that stands for `top`: of what is not below that, nothing lies anywhere.
    pub(crate) fn below(dir: &Path, top: &Path) -> Self {
        Self { dir: dir.to_path_buf(), top: top.to_path_buf() }
    }

    /// Where a path lies, if it does.
    pub(crate) fn place(&self, path: &Path) -> Option<PathBuf> {
        self.inner(path).map(|inner| self.dir.join(inner))
    }

    /// The path from the directory, told by bytes: this is asked for every path.
    pub(crate) fn inner<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let top = bytes(&self.top).len();
        if top == 0 {
            return Some(path);
        }
        let below = bytes(path).strip_prefix(bytes(&self.top))?.strip_prefix(b"/")?;
        (!below.is_empty()).then(|| Path::new(OsStr::from_bytes(below)))
    }

    /// Whether a path is the top or leads there.
    pub(crate) fn leads(&self, path: &Path) -> bool {
        self.top.starts_with(path)
    }

    /// Makes the directory stand for `/`, in which those of the directories that lead to the top are to be that are in
    /// `leading`, from above.
    pub(crate) fn widen(&mut self, leading: &[&Path]) -> Result<()> {
        let beside = parent(&self.dir);
        let aside = tempfile::Builder::new().prefix("whole-").tempdir_in(beside);
        let aside = aside.map_err(Error::io("create a directory in", beside))?;
        for path in leading {
            let place = aside.path().join(path);
            match *path == self.top {
                true => fs::rename(&self.dir, &place).map_err(Error::io("rename", &self.dir))?,
                false => DirBuilder::new().mode(0o700).create(&place).map_err(Error::io("create", &place))?,
            }
        }
        // Where it has not gone to be the top it is empty, and gives way.
        fs::rename(aside.path(), &self.dir).map_err(Error::io("rename", aside.path()))?;
        _ = aside.keep();
        self.top = PathBuf::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_top_lies_in_the_directory_and_nothing_else_does() {
        let layout = Layout::below(Path::new("/trees/a"), Path::new("opt/shop"));
        let place = |path: &str| layout.place(Path::new(path));
        assert_eq!(place("opt/shop/bin/tool"), Some("/trees/a/bin/tool".into()));
        for elsewhere in ["opt", "opt/shop", "opt/shop/", "opt/shopping", "opt/shopping/x", "etc/shop", ""] {
            assert_eq!(place(elsewhere), None, "{elsewhere}");
        }
        let leads = ["opt", "opt/shop", "opt/shop/bin", "opt/sho", "etc"].map(|path| layout.leads(Path::new(path)));
        assert_eq!(leads, [true, true, false, false, false]);
        let whole = Layout::whole(Path::new("/trees/a"));
        assert_eq!(whole.place(Path::new("opt")), Some("/trees/a/opt".into()));
    }

    #[test]
    fn a_wide_layout_has_the_same_at_the_same_paths() {
        let room = tempfile::tempdir().unwrap();
        let mut layout = Layout::below(&room.path().join("tree"), Path::new("opt/shop"));
        fs::create_dir(&layout.dir).unwrap();
        let tool = Path::new("opt/shop/tool");
        fs::write(layout.place(tool).unwrap(), "tool").unwrap();
        layout.widen(&["opt", "opt/shop"].map(Path::new)).unwrap();
        assert_eq!(layout, Layout::whole(&room.path().join("tree")));
        assert_eq!(fs::read(layout.place(tool).unwrap()).unwrap(), b"tool");
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_wide_layout_has_only_directories_that_somebody_asked_for() {
        let room = tempfile::tempdir().unwrap();
        let mut layout = Layout::below(&room.path().join("tree"), Path::new("opt/shop"));
        fs::create_dir(&layout.dir).unwrap();
        layout.widen(&[Path::new("opt")]).unwrap();
        let names = |dir: PathBuf| fs::read_dir(dir).unwrap().count();
        assert_eq!((names(layout.dir.clone()), names(layout.dir.join("opt"))), (1, 0));
    }
}
