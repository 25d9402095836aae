//! The digests of the artifacts that this machine has made or restored, by tag. A file of its own beside the state and in
//! its format: it is as large as the state, and a run with nothing to do has no use for it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::state::Journal;
use crate::error::Result;
use crate::model::Digest;

/// What is known of artifacts. Losing it costs a digest in a manifest, nothing else.
#[derive(Debug)]
pub(crate) struct Artifacts {
    path: PathBuf,
    /// Opened for the first digest of a run.
    journal: Mutex<Option<Journal>>,
}

impl Artifacts {
    /// Those in the file at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, journal: Mutex::default() }
    }

    /// Notes the digest of the artifact of a tag.
    pub(crate) fn add(&self, tag: &str, digest: &Digest) -> Result<()> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = match &mut *journal {
            Some(journal) => journal,
            none => none.insert(Journal::open(&self.path)?),
        };
        journal.set(tag.into(), digest.as_bytes())
    }

    /// Forgets the tags that are not needed, when they are more than half of all; `planned` of them are needed for sure.
    /// Where nothing was added in this run, nobody looks.
    pub(crate) fn tidy(&self, planned: usize, needed: impl FnOnce() -> Result<HashSet<String>>) -> Result<()> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(journal) = journal.as_mut().filter(|journal| journal.len() > 2 * planned) else { return Ok(()) };
        let needed = needed()?;
        let is_needed = |tag: &[u8]| std::str::from_utf8(tag).is_ok_and(|tag| needed.contains(tag));
        let kept = journal.iter().filter(|(tag, _)| is_needed(tag)).count();
        if journal.len() > 2 * kept { journal.retain(is_needed) } else { Ok(()) }
    }

    /// The digests of the artifacts of `tags`, as far as they are known. Nothing is written.
    pub(crate) fn look<'t>(&self, tags: impl Iterator<Item = &'t str>) -> Result<Vec<Option<Digest>>> {
        let journal = Journal::look(&self.path)?;
        let digest = |tag: &str| <[u8; 32]>::try_from(journal.get(tag.as_bytes())?).ok().map(Digest::from);
        Ok(tags.map(digest).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_known_in_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = || Artifacts::new(dir.path().join("artifacts"));
        let look = || artifacts().look(["one", "two"].into_iter()).unwrap();
        assert_eq!(look(), [None, None]);
        assert!(!dir.path().join("artifacts").exists());
        artifacts().add("one", &Digest::of("1")).unwrap();
        assert_eq!(look(), [Some(Digest::of("1")), None]);
    }

    #[test]
    fn what_nobody_needs_is_forgotten_when_it_is_more_than_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = || Artifacts::new(dir.path().join("artifacts"));
        let known = |tags: &[&str]| {
            let digests = artifacts().look(tags.iter().copied()).unwrap();
            digests.iter().flatten().count()
        };
        let needed = || Ok(HashSet::from(["one", "two"].map(str::to_owned)));
        let filled = artifacts();
        let add = |tag: &str| filled.add(tag, &Digest::of(tag)).unwrap();
        ["one", "two", "three", "four"].iter().for_each(|tag| add(tag));
        filled.tidy(1, needed).unwrap();
        assert_eq!(known(&["one", "two", "three", "four"]), 4);
        add("five");
        artifacts().tidy(1, || panic!("nothing was added")).unwrap();
        filled.tidy(1, needed).unwrap();
        assert_eq!((known(&["one", "two"]), known(&["three", "four", "five"])), (2, 0));
        add("six");
        assert_eq!(known(&["one", "two", "six"]), 3);
    }
}
