//! Path words: the names by which commands speak of directories.
//!
//! `@{source_dir}` and its siblings are replaced when a step runs, never before: a task's shasum is taken of the text
//! with the words in it, and so does not depend on where a checkout or a work directory lies.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The directories of one task, as its steps see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paths {
    /// `@{source_dir}`: the unpacked source, with the task's `relative_path` applied.
    pub source_dir: PathBuf,
    /// `@{stage_dir}`: the root that the task installs into (`DESTDIR`); empty for a task that installs directly.
    pub stage_dir: PathBuf,
    /// `@{stage_install_dir}`: the install directory inside the stage; the real one for a task that installs directly.
    pub stage_install_dir: PathBuf,
    /// `@{install_dir}`: where the product lives at run time.
    pub install_dir: PathBuf,
    /// `@{work_dir}`: the engine's own directory.
    pub work_dir: PathBuf,
    /// `@{recipe_dir}`: the directory of the recipe.
    pub recipe_dir: PathBuf,
}

impl Paths {
    /// The words, without their braces.
    pub const WORDS: [&'static str; 6] =
        ["source_dir", "stage_dir", "stage_install_dir", "install_dir", "work_dir", "recipe_dir"];

    /// The directory that a word stands for; `None` for a word that is not ours.
    pub fn get(&self, word: &str) -> Option<&Path> {
        Some(match word {
            "source_dir" => &self.source_dir,
            "stage_dir" => &self.stage_dir,
            "stage_install_dir" => &self.stage_install_dir,
            "install_dir" => &self.install_dir,
            "work_dir" => &self.work_dir,
            "recipe_dir" => &self.recipe_dir,
            _ => return None,
        })
    }

    /// `text` with every known word replaced. Unknown ones stay as they are: git writes `HEAD@{1}`.
    pub fn expand<'t>(&self, text: &'t OsStr) -> Cow<'t, OsStr> {
        let bytes = text.as_bytes();
        if !contains(bytes, b"@{") {
            return Cow::Borrowed(text);
        }
        let mut expanded = Vec::with_capacity(bytes.len() + 64);
        let mut rest = bytes;
        while let Some((before, word, after)) = split_word(rest) {
            expanded.extend_from_slice(before);
            match std::str::from_utf8(word).ok().and_then(|word| self.get(word)) {
                Some(dir) => expanded.extend_from_slice(dir.as_os_str().as_bytes()),
                None => {
                    expanded.extend_from_slice(b"@{");
                    expanded.extend_from_slice(word);
                    expanded.push(b'}');
                }
            }
            rest = after;
        }
        expanded.extend_from_slice(rest);
        Cow::Owned(OsString::from_vec(expanded))
    }

    /// A path with its words replaced; a relative one is taken below `base`.
    pub fn resolve(&self, base: &Path, path: &Path) -> PathBuf {
        base.join(self.expand(path.as_os_str()))
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The text before the next `@{word}`, the word, and the text behind it.
fn split_word(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let start = bytes.windows(2).position(|window| window == b"@{")?;
    let (before, rest) = bytes.split_at(start);
    let inside = rest.get(2..)?;
    let end = inside.iter().position(|byte| *byte == b'}')?;
    Some((before, inside.get(..end)?, inside.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        Paths { source_dir: "/w/src/zlib".into(), install_dir: "/opt/shop".into(), ..Paths::default() }
    }

    #[test]
    fn known_words_are_replaced_wherever_they_stand() {
        let text = OsStr::new("./configure --prefix=@{install_dir} -I@{source_dir}/x@{stage_dir}");
        assert_eq!(&*paths().expand(text), "./configure --prefix=/opt/shop -I/w/src/zlib/x");
    }

    #[test]
    fn unknown_and_unfinished_words_stay() {
        for text in ["git show HEAD@{1}", "@{", "@{install_dir", "a@{}b", "@{ install_dir}"] {
            assert_eq!(&*paths().expand(OsStr::new(text)), text);
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_pass_through() {
        let text = OsStr::from_bytes(b"@{install_dir}/\xff@{\xff}");
        assert_eq!(paths().expand(text).as_bytes(), b"/opt/shop/\xff@{\xff}");
    }

    #[test]
    fn a_relative_path_lies_below_its_base() {
        let base = Path::new("/w/src/zlib");
        assert_eq!(paths().resolve(base, Path::new("a/b")), Path::new("/w/src/zlib/a/b"));
        assert_eq!(paths().resolve(base, Path::new("@{install_dir}/b")), Path::new("/opt/shop/b"));
    }
}
