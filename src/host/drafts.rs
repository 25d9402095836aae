//! Names that files have until they are whole, in directories where other builds may put theirs.

use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Digest;

/// The names that a build gives to drafts.
///
/// A build knows those that earlier builds with its work directory have left, and takes no other build's for its own:
/// a work directory has one build at a time, an install directory may have builds with several.
#[derive(Debug)]
pub(crate) struct Drafts {
    /// What begins every name that builds with this work directory give.
    prefix: String,
    /// Tells this build from earlier ones, whose drafts may still be there.
    build: u32,
    counter: AtomicU64,
}

impl Drafts {
    pub(crate) fn of(work_dir: &Path) -> Self {
        let digest = Digest::of(work_dir.as_os_str().as_bytes()).to_string();
        let prefix = format!(".tmp-cortado-{}-", &digest[..8]);
        let [_, _, _, _, random @ ..] = RandomState::new().hash_one(std::process::id()).to_be_bytes();
        Self { prefix, build: u32::from_be_bytes(random), counter: AtomicU64::new(0) }
    }

    /// A name that no file has.
    pub(crate) fn next(&self) -> OsString {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{}{:08x}-{count}", self.prefix, self.build).into()
    }

    /// The name that every build with this work directory has for the draft of `what`.
    pub(crate) fn name(&self, what: &str) -> OsString {
        format!("{}{what}", self.prefix).into()
    }

    /// Whether a build with this work directory gave this name.
    pub(crate) fn has(&self, name: &OsStr) -> bool {
        name.as_bytes().starts_with(self.prefix.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_knows_what_an_earlier_one_left_and_nothing_of_others() {
        let (earlier, later) = (Drafts::of(Path::new("/home/a")), Drafts::of(Path::new("/home/a")));
        let other = Drafts::of(Path::new("/home/b"));
        let left = earlier.next();
        assert!(later.has(&left) && !other.has(&left), "{}", left.display());
        assert!([&later, &earlier].iter().all(|drafts| drafts.next() != left));
        assert_eq!(earlier.name("summary"), later.name("summary"));
        assert!(later.has(&earlier.name("summary")) && !other.has(&earlier.name("summary")));
    }
}
