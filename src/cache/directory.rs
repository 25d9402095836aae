//! The directory store: artifacts as files of one directory, shared by any number of processes without a daemon.
//!
//! ```text
//! <dir>/
//!   format               marker and version: `cortado store 1`
//!   objects/<xx>/<name>  the artifacts; xx are the first hex digits of the SHA-256 of the name
//! ```
//!
//! An object is written to a temporary file beside its place and then linked to its name, so that it is whole or
//! absent at every moment, and the first of several writers wins. It is not synchronised to the disk: an artifact is
//! verified whenever it is read, so one that a power cut has torn is a miss, and is replaced.

use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::NamedTempFile;

use super::store::{Listed, Objects, Put, Store, Stored};
use crate::error::{Error, Result};
use crate::host::fs::share_file;
use crate::model::Digest;

/// A directory that keeps artifacts.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    dir: PathBuf,
}

/// The first line of `format`.
const MARKER: &str = "cortado store ";
const FORMAT: u32 = 1;
const TEMPORARY: &str = ".tmp-";

impl DirectoryStore {
    /// The store in `dir`, which is made when it is not there or is empty.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a directory with something else in it, [`Error::Newer`] for a store of a newer cortado.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        let format = dir.join("format");
        match fs::read_to_string(&format) {
            Ok(text) => check_format(&dir, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => initialise(&dir, &format)?,
            Err(error) => return Err(Error::io("read", &format)(error)),
        }
        Ok(Self { dir })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn object(&self, name: &str) -> anyhow::Result<PathBuf> {
        let sane = !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(['/', '\0']);
        ensure!(sane, "`{}` cannot be the name of an object", name.escape_debug());
        let digest = Digest::of(name).to_string();
        Ok(self.dir.join("objects").join(digest.get(..2).unwrap_or_default()).join(name))
    }
}

impl Store for DirectoryStore {
    fn place(&self) -> String {
        format!("directory {}", self.dir.display())
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let path = self.object(name)?;
        match File::open(&path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not open `{}`", path.display())),
        }
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        let path = self.object(name)?;
        if !options.replace && path.exists() {
            return Ok(Stored::Present);
        }
        publish(&path, content, options).with_context(|| format!("could not write `{}`", path.display()))
    }

    /// A link, where the file lies on the same file system.
    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        let object = self.object(name)?;
        if !options.replace {
            match share_file(path, &object) {
                Ok(true) => return Ok(Stored::New),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Stored::Present),
                // Copying says better what is wrong.
                Ok(false) | Err(_) => {}
            }
        }
        let mut file = File::open(path).with_context(|| format!("could not open `{}`", path.display()))?;
        self.put(name, &mut file, options)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.object(name)?;
        path.try_exists().with_context(|| format!("could not look for `{}`", path.display()))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.object(name)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("could not remove `{}`", path.display())),
        }
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let shards = read_dir(&self.dir.join("objects"))?;
        let objects = shards.into_iter().map(|shard| read_dir(&shard.path())).flat_map(|entries| match entries {
            Ok(entries) => entries.iter().filter_map(|entry| describe(entry).transpose()).collect(),
            Err(error) => vec![Err(error)],
        });
        Ok(Box::new(objects))
    }
}

fn check_format(dir: &Path, text: &str) -> Result<()> {
    let found = text.trim_end().strip_prefix(MARKER);
    match found.map(|version| (version, version.parse::<u32>())) {
        Some((_, Ok(FORMAT))) => Ok(()),
        Some((version, _)) => Err(Error::Newer { path: dir.to_path_buf(), found: version.to_owned(), known: FORMAT }),
        None => Err(foreign(dir)),
    }
}

/// Marks a directory as a store. Of two processes that do so at once, one finds the other's marker.
fn initialise(dir: &Path, format: &Path) -> Result<()> {
    if !crate::host::fs::is_vacant(dir)? {
        return match fs::read_to_string(format) {
            Ok(text) => check_format(dir, &text),
            Err(_) => Err(foreign(dir)),
        };
    }
    crate::host::fs::write_atomic(format, format!("{MARKER}{FORMAT}\n").as_bytes())
}

fn foreign(dir: &Path) -> Error {
    Error::Foreign { dir: dir.to_path_buf(), what: "cortado store" }
}

fn publish(path: &Path, content: &mut dyn Read, options: &Put) -> io::Result<Stored> {
    let dir = path.parent().unwrap_or(path);
    fs::create_dir_all(dir)?;
    let mut file = NamedTempFile::with_prefix_in(TEMPORARY, dir)?;
    io::copy(content, file.as_file_mut())?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    if options.replace {
        file.persist(path)?;
        return Ok(Stored::New);
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(Stored::New),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(Stored::Present),
        Err(error) => Err(error.error),
    }
}

/// The entries of a directory; none when it is not there.
fn read_dir(dir: &Path) -> anyhow::Result<Vec<DirEntry>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        // A stray file where a shard should be holds no objects.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    entries.with_context(|| format!("could not read `{}`", dir.display()))
}

/// An entry as an object; `None` for temporary and stray ones, and for one that was removed meanwhile.
fn describe(entry: &DirEntry) -> anyhow::Result<Option<Listed>> {
    let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
    let metadata = match entry.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.with_context(|| format!("could not look at `{}`", entry.path().display()))?,
    };
    let object = metadata.is_file() && !name.starts_with('.');
    Ok(object.then(|| Listed::new(name, metadata.len(), metadata.modified().ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(store: &DirectoryStore, name: &str) -> Option<String> {
        let mut text = String::new();
        store.get(name).unwrap()?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn the_first_writer_wins_unless_the_second_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path()).unwrap();
        assert_eq!(store.put("a", &mut &b"one"[..], &Put::default()).unwrap(), Stored::New);
        assert_eq!(store.put("a", &mut &b"two"[..], &Put::default()).unwrap(), Stored::Present);
        assert_eq!(read(&store, "a").as_deref(), Some("one"));
        store.put("a", &mut &b"two"[..], &Put::replacing(true)).unwrap();
        assert_eq!(read(&store, "a").as_deref(), Some("two"));
        assert_eq!(store.list().unwrap().count(), 1, "no temporary file is left or listed");
    }

    #[test]
    fn a_file_that_all_may_read_is_shared_and_a_private_one_copied() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path().join("store")).unwrap();
        let file = dir.path().join("file");
        for (name, mode, links) in [("open", 0o644, 2), ("private", 0o600, 1)] {
            fs::write(&file, name).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(store.put_file(name, &file, &Put::default()).unwrap(), Stored::New);
            assert_eq!(fs::metadata(&file).unwrap().nlink(), links, "{name}");
            assert_eq!(store.put_file(name, &file, &Put::default()).unwrap(), Stored::Present);
            fs::remove_file(&file).unwrap();
            assert_eq!(read(&store, name).as_deref(), Some(name));
            assert_eq!(fs::metadata(store.object(name).unwrap()).unwrap().mode() & 0o777, 0o644);
        }
        fs::write(&file, "other").unwrap();
        store.put_file("open", &file, &Put::replacing(true)).unwrap();
        assert_eq!(read(&store, "open").as_deref(), Some("other"));
    }

    #[test]
    fn a_directory_of_someone_else_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "x").unwrap();
        assert!(matches!(DirectoryStore::open(dir.path()), Err(Error::Foreign { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_newer_store_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), "cortado store 9\n").unwrap();
        assert!(matches!(DirectoryStore::open(dir.path()), Err(Error::Newer { found, .. }) if found == "9"));
    }

    #[test]
    fn names_cannot_leave_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path()).unwrap();
        for name in ["", ".", "../x", "a/b", ".hidden", "a\0"] {
            assert!(store.put(name, &mut io::empty(), &Put::default()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_put_that_fails_half_way_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("pulled the plug"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path()).unwrap();
        assert!(store.put("a", &mut (&b"half"[..]).chain(Broken), &Put::default()).is_err());
        assert!(!store.has("a").unwrap() && store.list().unwrap().next().is_none());
    }
}
