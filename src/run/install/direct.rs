//! Tasks that install directly: their steps write below the install directory themselves, so what they have written
//! can only be observed.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Holding, Installed, Installer, Owned, Print};
use crate::error::Result;
use crate::host::fs::probe;
use crate::host::listing::{Entry, Kind, Listing};

/// A direct task that ran, and when.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) task: String,
    pub(crate) tag: String,
    pub(crate) overrides: Vec<String>,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

/// File systems stamp changes by a clock that ticks this seldom at the most.
const TICK: Duration = Duration::from_millis(20);

impl Installer<'_> {
    /// A direct task begins: until [`observe`](Installer::observe), its record says that it is unfinished.
    pub(crate) fn begin_direct(&self, task: &str, tag: &str, overrides: &[String]) -> Result<()> {
        let record =
            Installed { tag: tag.to_owned(), complete: false, overrides: overrides.to_vec(), owned: Vec::new() };
        self.record_direct(task, &record)
    }

    /// Records direct tasks that succeeded, each with the files below the install directory that appeared or changed
    /// while it ran and that no staged task owns. Of tasks that ran at the same time each is said to have made them
    /// all: too much is looked after, never too little.
    pub(crate) fn observe(&self, spans: &[Span]) -> Result<()> {
        if spans.is_empty() {
            return Ok(());
        }
        let root = &self.options.install_dir;
        let entries = match probe(root)? {
            Some(_) => Listing::of(&root.canonicalize().unwrap_or_else(|_| root.clone()))?.entries,
            None => Vec::new(),
        };
        for span in spans {
            let seen = entries.iter().filter(|entry| entry.kind != Kind::Directory && changed_in(entry, span));
            let owned = seen.filter_map(|entry| self.seen(root, &span.task, entry)).collect();
            let (tag, overrides) = (span.tag.clone(), span.overrides.clone());
            self.record_direct(&span.task, &Installed { tag, complete: true, overrides, owned })?;
        }
        Ok(())
    }

    fn seen(&self, root: &Path, task: &str, entry: &Entry) -> Option<Owned> {
        let path = root.join(&entry.path);
        let path = path.strip_prefix("/").ok()?.to_path_buf();
        let mut register = self.register();
        let register = register.get_or_insert_with(|| super::Register::of(&self.state()));
        if register.others(task, &path).next().is_some() {
            return None;
        }
        let print = Print::of(&probe(&Path::new("/").join(&path)).ok().flatten()?);
        Some(Owned { path, holding: Holding::Seen(print) })
    }

    fn record_direct(&self, task: &str, record: &Installed) -> Result<()> {
        let mut register = self.register();
        let register = register.get_or_insert_with(|| super::Register::of(&self.state()));
        self.keep(register, task, record)
    }
}

/// Whether a file's inode changed while a task ran.
fn changed_in(entry: &Entry, span: &Span) -> bool {
    let (seconds, nanoseconds) = entry.stat.ctime;
    let Ok(seconds) = u64::try_from(seconds) else { return false };
    let changed = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    changed + TICK >= span.start && changed <= span.end + TICK
}
