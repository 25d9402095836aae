//! The content of an input directory, as it counts into a key: paths, kinds, the executable bit and bytes.
//!
//! Nothing is read here: whoever walks the directory says what is there, in any order. Owners, times and permissions
//! other than the executable bit do not count, because they come from a umask and a checkout, not from the author.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::digest::Digest;
use super::encoding::Encoder;

/// What a walk found, path by path. Its [`digest`](InputTree::digest) is the answer to the inputs
/// [`Tree`](super::Input::Tree) and [`Mention`](super::Input::Mention).
///
/// Paths are relative to the walked directory, without `.` and `..`. An input that is itself a file is one file whose
/// path is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputTree {
    entries: BTreeMap<Vec<u8>, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File { executable: bool, content: Digest },
    Directory,
    Symlink { target: Vec<u8> },
}

impl InputTree {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file, whether its owner may execute it (mode 0100), and the SHA-256 of its bytes.
    pub fn file(&mut self, path: impl AsRef<Path>, executable: bool, content: Digest) {
        self.insert(path.as_ref(), Entry::File { executable, content });
    }

    /// A directory below the walked one.
    pub fn directory(&mut self, path: impl AsRef<Path>) {
        self.insert(path.as_ref(), Entry::Directory);
    }

    /// A symbolic link and its text.
    pub fn symlink(&mut self, path: impl AsRef<Path>, target: impl AsRef<Path>) {
        let target = target.as_ref().as_os_str().as_bytes().to_vec();
        self.insert(path.as_ref(), Entry::Symlink { target });
    }

    /// The digest of everything found: equal for equal content, wherever the directory lies.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("cortado tree 1\n");
        encoder.group("tree", self.entries.len());
        self.entries.iter().for_each(|(path, entry)| tell(&mut encoder, path, entry));
        encoder.finish()
    }

    fn insert(&mut self, path: &Path, entry: Entry) {
        self.entries.insert(path.as_os_str().as_bytes().to_vec(), entry);
    }
}

fn tell(encoder: &mut Encoder, path: &[u8], entry: &Entry) {
    match entry {
        Entry::File { executable, content } => {
            encoder.group("file", 3);
            encoder.value("path", path);
            encoder.value("executable", if *executable { b"yes" } else { b"no" });
            encoder.value("content", &content.hex());
        }
        Entry::Directory => {
            encoder.group("directory", 1);
            encoder.value("path", path);
        }
        Entry::Symlink { target } => {
            encoder.group("symlink", 2);
            encoder.value("path", path);
            encoder.value("target", target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(find: impl FnOnce(&mut InputTree)) -> Digest {
        let mut tree = InputTree::new();
        find(&mut tree);
        tree.digest()
    }

    #[test]
    fn the_order_of_the_walk_does_not_count() {
        let there = digest(|tree| {
            tree.directory("a");
            tree.file("a/b", false, Digest::of("x"));
        });
        let back = digest(|tree| {
            tree.file("a/b", false, Digest::of("x"));
            tree.directory("a");
        });
        assert_eq!(there, back);
    }

    #[test]
    fn path_kind_executable_bit_content_and_target_count() {
        let x = || Digest::of("x");
        let digests = [
            digest(|_| {}),
            digest(|tree| tree.file("a", false, x())),
            digest(|tree| tree.file("b", false, x())),
            digest(|tree| tree.file("", false, x())),
            digest(|tree| tree.file("a", true, x())),
            digest(|tree| tree.file("a", false, Digest::of("y"))),
            digest(|tree| tree.directory("a")),
            digest(|tree| tree.symlink("a", "b")),
            digest(|tree| tree.symlink("a", "c")),
        ];
        let different: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(different.len(), digests.len());
    }
}
