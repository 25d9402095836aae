//! The work directory: everything that a build keeps on this machine, and the lock that one build at a time holds.

use std::fs::{File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::fs;
use crate::host::lock::{Lock, Wait};
use crate::model::Digest;

/// The work directory of a project.
///
/// ```text
/// <work_dir>/
///   format               marker and version; a directory without it is never cleaned or taken over
///   lock                 held by the one build that uses the directory; names its holder
///   sources/             downloads by checksum, git mirrors
///   src/<task>/          unpacked source of a task
///   stage/<task>/        being filled
///   trees/<tag>/         finished trees
///   restore/             artifacts being unpacked
///   pack/                artifacts being packed
///   tmp/<task>/          HOME and TMPDIR of a task's steps
///   logs/<task>.log      full output of the last run of a task
///   histories            what counted into the last build of each task
///   pruned               its modification time is when old trees were looked for last
///   unfinished           while a run is under way, and after one that did not end well
///   standing/<digest>    how things stood after a run, for the next one with nothing to do
///   artifacts            digests of artifacts
///   owed                 artifacts that the cache has still to get, while there are any
///   state                what is installed, file hashes, durations
/// ```
#[derive(Debug, Clone)]
pub(crate) struct WorkDir {
    root: PathBuf,
}

const MARKER: &str = "cortado work directory ";
const FORMAT: u32 = 1;

impl WorkDir {
    /// The work directory at `root`, made if it is not there or is empty.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let dir = Self { root: root.to_path_buf() };
        if dir.exists()? {
            return Ok(dir);
        }
        // Its own mode is the caller's affair: nothing of it reaches the product.
        std::fs::create_dir_all(root).map_err(Error::io("create the directory", root))?;
        if !fs::is_vacant(root)? && !dir.exists()? {
            return Err(Error::Foreign { dir: dir.root, what: "cortado work directory" });
        }
        fs::write_atomic(&dir.root.join("format"), format!("{MARKER}{FORMAT}\n").as_bytes())?;
        Ok(dir)
    }

    /// The work directory at `root` if there is one; an error for a directory with something else in it.
    pub(crate) fn present(root: &Path) -> Result<Option<Self>> {
        let dir = Self::look(root);
        if dir.exists()? {
            return Ok(Some(dir));
        }
        match std::fs::read_dir(root) {
            Ok(mut entries) => match entries.next() {
                None => Ok(None),
                Some(_) => Err(Error::Foreign { dir: dir.root, what: "cortado work directory" }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", root)(error)),
        }
    }

    /// Whether there is a work directory at its root already; an error if it is of a newer format.
    pub(crate) fn exists(&self) -> Result<bool> {
        let path = self.root.join("format");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        match text.trim_end().strip_prefix(MARKER) {
            Some(version) if version.parse() == Ok(FORMAT) => Ok(true),
            Some(version) => Err(Error::Newer { path: self.root.clone(), found: version.into(), known: FORMAT }),
            None => Err(Error::Foreign { dir: self.root.clone(), what: "cortado work directory" }),
        }
    }

    /// The directory at `root` as it is, for looking only.
    pub(crate) fn look(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// Takes the directory for this process.
    pub(crate) fn lock(
        &self,
        wait: Wait,
        holder: &str,
        cancel: &Cancel,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<Lock> {
        Lock::acquire(&self.root.join("lock"), wait, holder, cancel, on_wait)
    }

    /// Removes what killed builds have left behind, and the directories of tasks that nobody knows.
    pub(crate) fn sweep(&self, knows: impl Fn(&str) -> bool) -> Result<()> {
        ["restore", "pack", "tmp"].iter().try_for_each(|name| fs::remove_tree(&self.root.join(name)))?;
        ["src", "stage"].iter().try_for_each(|name| sweep(&self.root.join(name), &knows))
    }

    /// Removes the drafts of our own files, which only a killed build leaves.
    pub(crate) fn sweep_drafts(&self) -> Result<()> {
        [&self.root, &self.root.join("standing")].into_iter().try_for_each(|dir| fs::sweep_drafts(dir))
    }

    /// Marks that a run is under way. Whether one was that did not come to a good [`end`](Self::end), and may have left
    /// anything anywhere.
    pub(crate) fn begin(&self) -> Result<bool> {
        let mark = self.mark();
        match File::create_new(&mark) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
            Err(error) => Err(Error::io("create", &mark)(error)),
        }
    }

    /// Whether to look for trees that were last used more than `max_age` before `now`: nobody has for a sixteenth of that
    /// time. To look means to list all trees, which in a project of many tasks takes longer than to build one.
    pub(crate) fn is_prune_due(&self, max_age: Duration, now: SystemTime) -> bool {
        let last = std::fs::metadata(self.pruned()).and_then(|stamp| stamp.modified());
        let since = last.ok().and_then(|last| now.duration_since(last).ok());
        since.is_none_or(|since| since >= max_age / 16)
    }

    /// Notes that somebody has looked.
    pub(crate) fn note_prune(&self, now: SystemTime) -> Result<()> {
        let stamp = self.pruned();
        let date = |stamp: File| stamp.set_times(FileTimes::new().set_modified(now));
        File::create(&stamp).and_then(date).map_err(Error::io("date", &stamp))
    }

    fn pruned(&self) -> PathBuf {
        self.root.join("pruned")
    }

    /// Takes the mark away.
    pub(crate) fn end(&self) -> Result<()> {
        fs::remove_tree(&self.mark())
    }

    fn mark(&self) -> PathBuf {
        self.root.join("unfinished")
    }

    /// Whether the last run may have left anything, so that even one with nothing to do has to sweep.
    pub(crate) fn has_leftovers(&self) -> bool {
        self.mark().exists()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn sources(&self) -> PathBuf {
        self.root.join("sources")
    }

    pub(crate) fn source(&self, task: &str) -> PathBuf {
        self.root.join("src").join(task)
    }

    pub(crate) fn stage(&self, task: &str) -> PathBuf {
        self.root.join("stage").join(task)
    }

    pub(crate) fn trees(&self) -> PathBuf {
        self.root.join("trees")
    }

    pub(crate) fn restore(&self) -> PathBuf {
        self.root.join("restore")
    }

    pub(crate) fn pack(&self) -> PathBuf {
        self.root.join("pack")
    }

    pub(crate) fn tmp(&self, task: &str) -> PathBuf {
        self.homes().join(task)
    }

    /// Where each task has its `HOME` and `TMPDIR`.
    pub(crate) fn homes(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn log(&self, task: &str) -> PathBuf {
        self.root.join("logs").join(format!("{task}.log"))
    }

    pub(crate) fn histories(&self) -> PathBuf {
        self.root.join("histories")
    }

    pub(crate) fn standing(&self, origin: &Digest) -> PathBuf {
        self.root.join("standing").join(origin.to_string())
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    pub(crate) fn owed(&self) -> PathBuf {
        self.root.join("owed")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }
}

/// Removes everything from a directory that bears no task's name.
fn sweep(dir: &Path, knows: &impl Fn(&str) -> bool) -> Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("read", dir)(error)),
    };
    for entry in entries {
        let name = entry.map_err(Error::io("read", dir))?.file_name();
        if !name.to_str().is_some_and(knows) {
            fs::remove_tree(&dir.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_directory_is_taken_and_known_again() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("new/work");
        assert!(!WorkDir::look(&root).exists().unwrap());
        WorkDir::open(&root).unwrap();
        WorkDir::open(&root).unwrap();
        assert!(WorkDir::look(&root).exists().unwrap());
    }

    #[test]
    fn a_directory_of_someone_else_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("thesis.tex"), "x").unwrap();
        let error = WorkDir::open(dir.path()).unwrap_err();
        assert!(error.to_string().ends_with("is not a cortado work directory"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_another_process_is_just_marking_is_not_foreign() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".tmp-4711"), "cortado").unwrap();
        WorkDir::open(dir.path()).unwrap();
    }

    #[test]
    fn what_no_task_needs_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let work = WorkDir::open(dir.path()).unwrap();
        for path in ["src/kept", "src/departed", "src/.tmp-1/old", "stage/departed", "tmp/kept", "pack", "restore/x"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        ["state", ".tmp-1a2b3c", "standing/.tmp-1a2b3c"].iter().for_each(|name| {
            std::fs::create_dir_all(dir.path().join("standing")).unwrap();
            std::fs::write(dir.path().join(name), "").unwrap();
        });
        work.sweep(|task| task == "kept").unwrap();
        work.sweep_drafts().unwrap();
        let names = |name: &str| std::fs::read_dir(dir.path().join(name)).map_or(0, Iterator::count);
        assert_eq!(["src", "stage", "tmp", "pack", "restore"].map(names), [1, 0, 0, 0, 0]);
        assert!(work.source("kept").exists() && dir.path().join("state").exists());
        assert_eq!((names("standing"), dir.path().join(".tmp-1a2b3c").exists()), (0, false));
    }

    #[test]
    fn a_run_that_did_not_end_well_is_noticed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let work = WorkDir::open(dir.path()).unwrap();
        assert!(!work.begin().unwrap());
        assert!(work.begin().unwrap());
        work.end().unwrap();
        assert!(!work.begin().unwrap());
    }

    #[test]
    fn old_trees_are_looked_for_now_and_then() {
        let dir = tempfile::tempdir().unwrap();
        let work = WorkDir::open(dir.path()).unwrap();
        let (day, now) = (Duration::from_secs(86_400), SystemTime::now());
        assert!(work.is_prune_due(day, now));
        work.note_prune(now).unwrap();
        assert!(!work.is_prune_due(day, now + day / 20));
        assert!(work.is_prune_due(day, now + day / 15));
        assert!(work.is_prune_due(day, now - day), "whatever the clock says");
        assert!(work.is_prune_due(day / 100, now + day / 20), "whoever wants them gone sooner gets that");
        assert!(work.is_prune_due(Duration::ZERO, now));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("format"), "cortado work directory 7\n").unwrap();
        assert!(matches!(WorkDir::open(dir.path()), Err(Error::Newer { found, .. }) if found == "7"));
    }
}
