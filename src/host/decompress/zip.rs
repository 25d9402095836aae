//! Extraction of zip archives, trusting nothing they say: no name leads out of the directory, nothing is written
//! through a symlink, and the archive as a whole stays within limits.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use ::zip::ZipArchive;
use ::zip::read::ZipFile;

use crate::error::{Error, Result};
use crate::host::busy;

/// The longest target of a symlink.
const TARGET_MAX: u64 = 4096;

/// How to extract.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZipOptions {
    /// How many leading directories of every name are dropped; members above that depth are left out.
    pub(crate) strip: usize,
    /// The most members.
    pub(crate) entries_max: usize,
    /// The most bytes, extracted.
    pub(crate) bytes_max: u64,
}

impl Default for ZipOptions {
    fn default() -> Self {
        Self { strip: 0, entries_max: 1 << 20, bytes_max: 64 << 30 }
    }
}

/// Extracts an archive into a directory that is there and empty.
///
/// Files get mode 0755 when their owner may execute them, else 0644; times are not kept.
pub(crate) fn extract(archive: &Path, dest: &Path, options: ZipOptions) -> Result<()> {
    let file = File::open(archive).map_err(Error::io("open", archive))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| super::broken(archive, error))?;
    if zip.len() > options.entries_max {
        return Err(super::broken(archive, format!("it has {} members, more than {}", zip.len(), options.entries_max)));
    }
    let mut extraction = Extraction { archive, dest, options, bytes: 0, dirs: HashSet::new(), links: Vec::new() };
    for index in 0..zip.len() {
        let member = zip.by_index(index).map_err(|error| super::broken(archive, error))?;
        extraction.member(member)?;
    }
    extraction.link()
}

struct Extraction<'a> {
    archive: &'a Path,
    dest: &'a Path,
    options: ZipOptions,
    bytes: u64,
    /// Directories made so far, relative to `dest`.
    dirs: HashSet<PathBuf>,
    /// Symlinks to make once no file is written any more: nothing can go through them.
    links: Vec<(PathBuf, PathBuf)>,
}

impl Extraction<'_> {
    fn member<R: Read>(&mut self, mut member: ZipFile<'_, R>) -> Result<()> {
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let Some(path) = relative(&name, self.options.strip).map_err(|problem| self.refused(&name, problem))? else {
            return Ok(());
        };
        if member.is_dir() {
            return self.make_dir(&path, &name);
        }
        if path.as_os_str().is_empty() {
            return Err(self.refused(&name, "its name is empty"));
        }
        self.make_dir(path.parent().unwrap_or(Path::new("")), &name)?;
        if member.is_symlink() {
            let target = self.target(&mut member, &path, &name)?;
            self.links.push((path, target));
            return Ok(());
        }
        self.write(member, &path, &name)
    }

    fn write<R: Read>(&mut self, member: ZipFile<'_, R>, path: &Path, name: &str) -> Result<()> {
        let mode = member.unix_mode().unwrap_or(0o644);
        if !matches!(mode & 0o170_000, 0 | 0o100_000) {
            return Err(self.refused(name, "it is neither file, directory nor symlink"));
        }
        let full = self.dest.join(path);
        let _nobody_starts = busy::writing_program(mode);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&full)
            .map_err(|error| self.refused(name, error))?;
        // One byte more than allowed tells that there is more, whatever the header says.
        let left = self.options.bytes_max - self.bytes;
        self.bytes +=
            io::copy(&mut member.take(left.saturating_add(1)), &mut file).map_err(|error| self.refused(name, error))?;
        if self.bytes > self.options.bytes_max {
            return Err(self.refused(name, format!("the archive holds more than {} bytes", self.options.bytes_max)));
        }
        let mode = Permissions::from_mode(if mode & 0o100 != 0 { 0o755 } else { 0o644 });
        file.set_permissions(mode).map_err(Error::io("change the mode of", &full))
    }

    /// Makes a directory and those above it. Whatever is in the way stays, and is an error.
    fn make_dir(&mut self, path: &Path, name: &str) -> Result<()> {
        if path.as_os_str().is_empty() || self.dirs.contains(path) {
            return Ok(());
        }
        self.make_dir(path.parent().unwrap_or(Path::new("")), name)?;
        fs::create_dir(self.dest.join(path)).map_err(|error| self.refused(name, error))?;
        self.dirs.insert(path.to_path_buf());
        Ok(())
    }

    fn target<R: Read>(&self, member: &mut ZipFile<'_, R>, path: &Path, name: &str) -> Result<PathBuf> {
        let mut target = String::new();
        let read = member.take(TARGET_MAX).read_to_string(&mut target);
        read.map_err(|error| self.refused(name, error))?;
        let depth = path.components().count() - 1;
        if !stays_inside(&target, depth) {
            return Err(self.refused(name, format!("a symlink to `{target}` leads out of the archive")));
        }
        Ok(PathBuf::from(target))
    }

    fn link(self) -> Result<()> {
        for (path, target) in &self.links {
            let name = path.display().to_string();
            symlink(target, self.dest.join(path)).map_err(|error| self.refused(&name, error))?;
        }
        Ok(())
    }

    fn refused(&self, name: &str, problem: impl std::fmt::Display) -> Error {
        super::broken(self.archive, format!("`{name}`: {problem}"))
    }
}

/// A member's path below the destination, or `None` when stripping leaves nothing of it.
fn relative(name: &str, strip: usize) -> Result<Option<PathBuf>, &'static str> {
    if name.contains(['\0', '\\']) {
        return Err("its name holds a character that is no part of a name");
    }
    let mut parts = Vec::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            _ => return Err("its name leads out of the archive"),
        }
    }
    Ok(parts.get(strip..).filter(|kept| !kept.is_empty() || strip == 0).map(|kept| kept.iter().collect()))
}

/// Whether a symlink in a directory `depth` levels down stays below the top. A `..` behind a name is refused, since
/// the name may be another symlink.
fn stays_inside(target: &str, depth: usize) -> bool {
    let mut climbed = 0;
    let mut descended = false;
    for component in Path::new(target).components() {
        match component {
            Component::ParentDir if !descended => climbed += 1,
            Component::Normal(_) => descended = true,
            Component::CurDir => {}
            _ => return false,
        }
    }
    !target.is_empty() && climbed <= depth
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::zip::ZipWriter;
    use ::zip::write::SimpleFileOptions;
    use tempfile::TempDir;

    use super::*;

    /// A zip archive in the making, and the directory it is extracted into.
    struct Case {
        dir: TempDir,
        writer: ZipWriter<File>,
        options: ZipOptions,
    }

    impl Case {
        fn new() -> Self {
            let dir = TempDir::new().unwrap();
            fs::create_dir(dir.path().join("out")).unwrap();
            let writer = ZipWriter::new(File::create(dir.path().join("a.zip")).unwrap());
            Self { dir, writer, options: ZipOptions::default() }
        }

        fn file(mut self, name: &str, mode: u32, content: &str) -> Self {
            let options = SimpleFileOptions::default().unix_permissions(mode);
            self.writer.start_file(name, options).unwrap();
            self.writer.write_all(content.as_bytes()).unwrap();
            self
        }

        fn link(mut self, name: &str, target: &str) -> Self {
            self.writer.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
            self
        }

        fn dir(mut self, name: &str) -> Self {
            self.writer.add_directory(name, SimpleFileOptions::default()).unwrap();
            self
        }

        fn options(mut self, options: ZipOptions) -> Self {
            self.options = options;
            self
        }

        /// The directory, extracted.
        fn extract(self) -> Result<TempDir> {
            self.writer.finish().unwrap();
            extract(&self.dir.path().join("a.zip"), &self.dir.path().join("out"), self.options)?;
            Ok(self.dir)
        }

        fn refused(self) -> String {
            let text = self.extract().unwrap_err().to_string();
            text.split_once(".zip`: ").unwrap().1.to_owned()
        }
    }

    #[test]
    fn files_directories_and_links_are_extracted_below_the_stripped_top() {
        let case =
            Case::new().dir("pkg-1.0/empty/").file("pkg-1.0/bin/run", 0o777, "#!").link("pkg-1.0/run", "bin/run");
        let case = case.file("pkg-1.0/README", 0o600, "read me").file("top", 0o644, "left out");
        let dir = case.options(ZipOptions { strip: 1, ..ZipOptions::default() }).extract().unwrap();
        let out = dir.path().join("out");
        let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("bin/run"), mode("README")), (0o755, 0o644));
        assert_eq!(fs::read_link(out.join("run")).unwrap(), Path::new("bin/run"));
        assert!(out.join("empty").is_dir() && !out.join("top").exists());
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../evil", "a/../../evil", "/etc/evil"] {
            let text = Case::new().file(name, 0o644, "x").refused();
            assert_eq!(text, format!("`{name}`: its name leads out of the archive"));
        }
        assert!(relative("a\\..\\b", 0).is_err() && relative("a\0b", 0).is_err());
    }

    #[test]
    fn symlinks_that_lead_out_are_refused() {
        for target in ["/etc", "..", "../../x", "sub/../..", "a/.."] {
            let text = Case::new().link("link", target).refused();
            assert_eq!(text, format!("`link`: a symlink to `{target}` leads out of the archive"));
        }
        let text = Case::new().link("a/link", "b/..").refused();
        assert_eq!(text, "`a/link`: a symlink to `b/..` leads out of the archive");
        Case::new().link("a/b/link", "../../c").extract().unwrap();
    }

    #[test]
    fn nothing_is_written_through_a_symlink() {
        let text = Case::new().link("here", "there").file("here/file", 0o644, "x").refused();
        assert!(text.starts_with("`here`: File exists"), "{text}");
    }

    #[test]
    fn a_name_may_be_used_once() {
        let text = Case::new().file("a", 0o644, "1").file("./a", 0o644, "2").refused();
        assert!(text.contains("`./a`: File exists"), "{text}");
        let text = Case::new().file("a", 0o644, "1").file("a/b", 0o644, "2").refused();
        assert!(text.contains("`a/b`: File exists"), "{text}");
    }

    #[test]
    fn limits_hold_whatever_the_headers_say() {
        let two = Case::new().file("a", 0o644, "12345").file("b", 0o644, "12345");
        let text = two.options(ZipOptions { bytes_max: 9, ..ZipOptions::default() }).refused();
        assert_eq!(text, "`b`: the archive holds more than 9 bytes");
        let two = Case::new().file("a", 0o644, "").file("b", 0o644, "");
        let text = two.options(ZipOptions { entries_max: 1, ..ZipOptions::default() }).refused();
        assert_eq!(text, "it has 2 members, more than 1");
    }
}
