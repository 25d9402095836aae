//! The finished trees kept on this machine, each named by its tag and never changed.
//!
//! Installed files may be hard links into a tree, so that someone who edits one in place edits the tree. A seal beside
//! each tree remembers what was in it, by `lstat`; a tree that no longer matches its seal is removed and reported,
//! not used. What goes into a tree, and where it is installed, is not decided here.

mod seal;

use std::collections::HashSet;
use std::fs::{self, File, FileTimes};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use seal::Seal;

use crate::error::{Error, Result, errno};
use crate::host::fs::{create_dirs, probe, remove_tree};
use crate::host::layout::Layout;
use crate::host::listing::{Entry, Kind, Listing};
use crate::host::many;
use crate::model::Digest;

const SEAL: &str = ".seal";
const TEMPORARY: &str = ".tmp-";
const GONE: &str = ".tmp-gone-";

/// The directory of trees.
///
/// ```text
/// trees/
///   <tag>/            a tree: as it will be from `/`, or from the top down that its seal names
///   <tag>.seal        what is in it; its modification time is the tree's last use
///   .tmp-gone-<tag>/  a tree on its way out
/// ```
///
/// The seal is written last and removed first: a tree without one is a leftover. One build at a time uses the
/// directory (the work directory's lock sees to that).
#[derive(Debug)]
pub(crate) struct Trees {
    dir: PathBuf,
}

/// A sealed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) tag: String,
    /// Where its entries lie.
    pub(crate) layout: Layout,
    /// Of the artifact that holds it, where that was known when it was sealed.
    pub(crate) digest: Option<Digest>,
    entries: Vec<Entry>,
}

/// What [`Trees::get`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TreeState {
    /// The tree, exactly as it was sealed.
    Present(Tree),
    /// No such tree.
    Absent,
    /// There was one, but it had changed in the way said here, and has been removed.
    Damaged(String),
}

impl Trees {
    /// Opens the directory, and makes it if it is missing.
    pub(crate) fn open(dir: &Path) -> Result<Trees> {
        create_dirs(dir)?;
        Ok(Trees { dir: dir.to_path_buf() })
    }

    /// Starts an empty tree.
    #[cfg(test)]
    pub(crate) fn begin(&self, tag: &str) -> Result<TreeDraft<'_>> {
        let path = self.dir.join(format!("{TEMPORARY}{tag}"));
        create_dirs(&path)?;
        Ok(TreeDraft { trees: self, tag: tag.to_owned(), layout: Layout::whole(&path), entries: None, placed: false })
    }

    /// Takes a directory with all that a tree shall hold, on the same file system, as a draft. `entries` is the listing
    /// of it, from `/` on.
    pub(crate) fn adopt(&self, layout: Layout, entries: Vec<Entry>, tag: &str) -> TreeDraft<'_> {
        TreeDraft { trees: self, tag: tag.to_owned(), layout, entries: Some(entries), placed: false }
    }

    /// The tree of a tag, if it is just as it was sealed. Counts as a use.
    pub(crate) fn get(&self, tag: &str) -> Result<TreeState> {
        let Some(seal) = Seal::read(&self.seal_path(tag))? else { return Ok(TreeState::Absent) };
        let layout = Layout::below(&self.path(tag), &seal.top);
        if let Some(damage) = seal.damage(&layout) {
            self.remove(tag)?;
            return Ok(TreeState::Damaged(damage));
        }
        self.touch(tag)?;
        Ok(TreeState::Present(Tree { tag: tag.to_owned(), layout, digest: seal.digest, entries: seal.entries }))
    }

    /// Whether there is a tree for a tag, without a look at whether it is intact.
    pub(crate) fn holds(dir: &Path, tag: &str) -> bool {
        dir.join(format!("{tag}{SEAL}")).exists()
    }

    /// The tags that there are trees of, without a look at whether they are intact.
    pub(crate) fn tags(&self) -> Result<HashSet<String>> {
        Ok(self.names()?.iter().filter_map(|name| name.strip_suffix(SEAL)).map(str::to_owned).collect())
    }

    /// Removes a tree, if there is one.
    pub(crate) fn remove(&self, tag: &str) -> Result<()> {
        remove_tree(&self.seal_path(tag))?;
        self.discard(tag)
    }

    /// Removes what killed runs left: temporary names, trees without a seal, seals without a tree. Returns how many.
    pub(crate) fn sweep(&self) -> Result<usize> {
        let names = self.names()?;
        let is_leftover = |name: &str| match name.strip_suffix(SEAL) {
            _ if name.starts_with(TEMPORARY) => true,
            Some(tag) => !names.contains(tag),
            None => !names.contains(&format!("{name}{SEAL}")),
        };
        let leftovers: Vec<_> = names.iter().filter(|name| is_leftover(name)).collect();
        leftovers.iter().try_for_each(|name| remove_tree(&self.dir.join(name)))?;
        Ok(leftovers.len())
    }

    /// Removes the trees that are not in `keep` and were last used more than `max_age` before `now`. Returns how many.
    pub(crate) fn prune(&self, keep: &HashSet<String>, max_age: Duration, now: SystemTime) -> Result<usize> {
        let mut removed = 0;
        for name in self.names()? {
            let Some(tag) = name.strip_suffix(SEAL).filter(|tag| !keep.contains(*tag)) else { continue };
            let seal = self.seal_path(tag);
            let used = fs::metadata(&seal).and_then(|seal| seal.modified()).map_err(Error::io("look at", &seal))?;
            if now.duration_since(used).is_ok_and(|age| age > max_age) {
                self.remove(tag)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn path(&self, tag: &str) -> PathBuf {
        self.dir.join(tag)
    }

    fn seal_path(&self, tag: &str) -> PathBuf {
        self.dir.join(format!("{tag}{SEAL}"))
    }

    /// Gives a directory the name of a tag's tree, in place of one that may be there.
    fn place(&self, draft: &Path, tag: &str) -> Result<PathBuf> {
        let (path, seal) = (self.path(tag), self.seal_path(tag));
        match fs::remove_file(&seal) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("remove", &seal)(error)),
            _ => {}
        }
        // An empty directory gives way to another, and a full one does not.
        if fs::rename(draft, &path).is_err() {
            self.discard(tag)?;
            fs::rename(draft, &path).map_err(Error::io("rename", draft))?;
        }
        Ok(path)
    }

    /// Removes a tree under another name, so that nobody sees half of it under its own.
    fn discard(&self, tag: &str) -> Result<()> {
        let path = self.path(tag);
        if probe(&path)?.is_none() {
            return Ok(());
        }
        let gone = self.dir.join(format!("{GONE}{tag}"));
        remove_tree(&gone)?;
        fs::rename(&path, &gone).map_err(Error::io("rename", &path))?;
        remove_tree(&gone)
    }

    fn touch(&self, tag: &str) -> Result<()> {
        let path = self.seal_path(tag);
        let now = FileTimes::new().set_modified(SystemTime::now());
        File::open(&path).and_then(|seal| seal.set_times(now)).map_err(Error::io("date", &path))
    }

    /// Names that are not UTF-8 are not ours.
    fn names(&self) -> Result<HashSet<String>> {
        let entries = fs::read_dir(&self.dir).map_err(Error::io("read the directory", &self.dir))?;
        let names = entries.map(|entry| Ok(entry.map_err(Error::io("read the directory", &self.dir))?.file_name()));
        names.filter_map(|name| name.map(|name| name.into_string().ok()).transpose()).collect()
    }
}

impl Tree {
    /// Everything in it, parents before their children; paths as they will be from `/`, without the slash.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the file of an entry lies.
    pub(crate) fn place(&self, path: &Path) -> Result<PathBuf> {
        let gone = || Error::io("find", self.layout.dir.join(path))(ErrorKind::NotFound.into());
        self.layout.place(path).ok_or_else(gone)
    }
}

/// A tree that is not finished. Dropped without [`seal`](TreeDraft::seal), it is removed.
#[derive(Debug)]
pub(crate) struct TreeDraft<'a> {
    trees: &'a Trees,
    tag: String,
    layout: Layout,
    /// What is in it, where that is known.
    entries: Option<Vec<Entry>>,
    placed: bool,
}

impl TreeDraft<'_> {
    /// The directory to fill.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.layout.dir
    }

    /// Makes it the tree of its tag, in place of one that may be there.
    ///
    /// Every modification time in it becomes `mtime`, in seconds since 1970, so that a built and a restored tree do
    /// not differ.
    ///
    /// # Errors
    ///
    /// It holds a socket, pipe or device.
    pub(crate) fn seal(mut self, mtime: u64, digest: Option<Digest>) -> Result<Tree> {
        let mut entries = match self.entries.take() {
            Some(entries) => entries,
            None => Listing::of(&self.layout.dir)?.entries,
        };
        refuse_special(&self.tag, &entries)?;
        date(&self.layout, &mut entries, mtime)?;
        let dir = self.trees.place(&self.layout.dir, &self.tag)?;
        self.placed = true;
        let layout = Layout::below(&dir, &self.layout.top);
        let seal = Seal::of(&layout, entries, digest)?;
        seal.write(&self.trees.seal_path(&self.tag))?;
        Ok(Tree { tag: self.tag.clone(), layout, digest, entries: seal.entries })
    }
}

impl Drop for TreeDraft<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed now is swept later.
            let _ = remove_tree(&self.layout.dir);
        }
    }
}

fn refuse_special(tag: &str, entries: &[Entry]) -> Result<()> {
    let special = entries.iter().find_map(|entry| match entry.kind {
        Kind::Special(what) => Some(format!("`{}` is a {what}, which an artifact cannot hold", entry.path.display())),
        _ => None,
    });
    special.map_or(Ok(()), |problem| Err(Error::Archive { archive: tag.to_owned(), problem }))
}

/// Gives everything in a tree, and its own directory, one modification time. What has it already (all that was unpacked
/// from an artifact) is left alone.
fn date(layout: &Layout, entries: &mut [Entry], mtime: u64) -> Result<()> {
    let time = Timespec { tv_sec: i64::try_from(mtime).unwrap_or(i64::MAX), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let set = |path: &Path| {
        let result = rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
        result.map_err(|error| Error::io("date", path)(errno(error)))
    };
    let wanted = (time.tv_sec, 0);
    let is_right = |entry: &Entry| entry.is_nominal() || entry.stat.mtime == wanted;
    many::try_each(entries, |entry| match layout.place(&entry.path) {
        Some(place) if !is_right(entry) => set(&place),
        _ => Ok(()),
    })?;
    entries.iter_mut().for_each(|entry| entry.stat.mtime = wanted);
    set(&layout.dir)
}

#[cfg(test)]
mod tests;
