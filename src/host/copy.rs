//! The file steps of a task: copy, link, mkdir here, [`sync()`] and [`expand()`] beside.
//!
//! Done with system calls, never through a shell: any name means itself. What is in the way is unlinked before anything
//! is written, so that nothing is ever written through an existing symlink or hard link, and read-only files are no
//! obstacle.

mod expand;
mod sync;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

pub(crate) use expand::expand;
pub(crate) use sync::{Decide, sync};

use super::busy;
use super::fs::{create_dirs, parent, probe};
use crate::error::{Error, Result};

/// How to copy.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CopyOptions {
    /// Copy what symlinks point to, instead of the symlinks.
    pub(crate) follow: bool,
    /// Keep modification times.
    pub(crate) times: bool,
}

/// Copies a file, a symlink or a whole directory.
///
/// As with `cp`, an existing directory as `dest`, or one written with a `/` at its end, receives the source under its
/// own name; `src/.` stands for the content of `src`. Directories merge, missing parents are made. Modes are kept
/// with setuid and setgid, and so are hard links among the copied files.
///
/// # Errors
///
/// Sockets, pipes and devices; a directory where a file should go and the reverse; a directory into itself.
pub(crate) fn copy(src: &Path, dest: &Path, options: CopyOptions) -> Result<()> {
    let dest = destination(src, dest);
    create_dirs(parent(&dest))?;
    refuse_nesting(src, &dest)?;
    Copier::new(options).entry(src, &dest)
}

/// Makes a symlink at `link` that says `target`, and the directories above it.
///
/// With `replace`, a file or symlink that is there gives way, in one step; a symlink to a directory is replaced too,
/// not entered. A directory never gives way.
pub(crate) fn link(target: &Path, link: &Path, replace: bool) -> Result<()> {
    create_dirs(parent(link))?;
    match probe(link)? {
        Some(found) if found.is_dir() => return Err(refuse("link", link, "a directory is in the way")),
        Some(_) if !replace => return Err(refuse("link", link, "something is there already")),
        _ => {}
    }
    tempfile::Builder::new()
        .prefix(".tmp-")
        .make_in(parent(link), |path| symlink(target, path))
        .map_err(Error::io("link", link))?
        .into_temp_path()
        .persist(link)
        .map_err(|error| Error::io("link", link)(error.error))
}

/// Makes a directory. With `parents`, what is missing above it too, and one that exists already is fine.
///
/// `mode`, or 0755, is given to the last directory if it is new, whatever the umask.
pub(crate) fn mkdir(path: &Path, parents: bool, mode: Option<u32>) -> Result<()> {
    if parents {
        if path.is_dir() {
            return Ok(());
        }
        create_dirs(parent(path))?;
    }
    fs::create_dir(path).map_err(Error::io("create the directory", path))?;
    set_mode(path, mode.unwrap_or(0o755))
}

/// Where `src` goes when `dest` is named.
fn destination(src: &Path, dest: &Path) -> PathBuf {
    let content_only = matches!(src.as_os_str().as_bytes(), b"." | b".." | [.., b'/', b'.'] | [.., b'/', b'.', b'.']);
    let into = dest.is_dir() || dest.as_os_str().as_bytes().ends_with(b"/");
    match src.file_name() {
        Some(name) if into && !content_only => dest.join(name),
        // A symlink to a directory is entered when it is named itself, and only then.
        _ if dest.is_dir() => fs::canonicalize(dest).unwrap_or_else(|_| dest.to_path_buf()),
        _ => dest.components().collect(),
    }
}

/// A directory copied into itself would never end.
fn refuse_nesting(src: &Path, dest: &Path) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).map_err(Error::io("find", path));
    if probe(src)?.is_some_and(|found| found.is_dir()) && real(parent(dest))?.starts_with(real(src)?) {
        return Err(refuse("copy", src, "the destination lies inside it"));
    }
    Ok(())
}

/// A copy on its way.
struct Copier {
    options: CopyOptions,
    /// Where the first name of each hard-linked source file went, by device and inode.
    links: HashMap<(u64, u64), PathBuf>,
    /// The directories being copied and their copies, outermost first: a followed symlink may lead back to one.
    inside: Vec<(u64, u64)>,
}

impl Copier {
    fn new(options: CopyOptions) -> Self {
        Self { options, links: HashMap::new(), inside: Vec::new() }
    }

    fn entry(&mut self, src: &Path, dest: &Path) -> Result<()> {
        let found = if self.options.follow { fs::metadata(src) } else { fs::symlink_metadata(src) };
        let found = found.map_err(Error::io("copy", src))?;
        if found.is_dir() { self.directory(src, dest, &found) } else { self.leaf(src, dest, &found) }
    }

    fn directory(&mut self, src: &Path, dest: &Path, found: &Metadata) -> Result<()> {
        let id = (found.dev(), found.ino());
        if self.inside.contains(&id) {
            return Err(refuse("copy", src, "a symlink leads back to a directory above it"));
        }
        let names = names(src)?;
        let created = match probe(dest)? {
            None => create_writable(dest, found.mode()).map(|()| true)?,
            Some(there) if there.is_dir() => false,
            Some(_) => return Err(refuse("copy", dest, "a file or symlink is where a directory should go")),
        };
        let made = fs::symlink_metadata(dest).map_err(Error::io("examine", dest))?;
        self.inside.extend([id, (made.dev(), made.ino())]);
        for name in names {
            self.entry(&src.join(&name), &dest.join(&name))?;
        }
        self.inside.truncate(self.inside.len() - 2);
        if created { self.finish_directory(dest, found) } else { Ok(()) }
    }

    fn finish_directory(&self, dest: &Path, found: &Metadata) -> Result<()> {
        set_mode(dest, found.mode())?;
        match self.options.times {
            true => File::open(dest).and_then(|dir| dir.set_times(times(found)?)).map_err(Error::io("date", dest)),
            false => Ok(()),
        }
    }

    /// Copies what is not a directory, over whatever file or symlink is at `dest`.
    fn leaf(&mut self, src: &Path, dest: &Path, found: &Metadata) -> Result<()> {
        match probe(dest)? {
            Some(there) if there.is_dir() => {
                return Err(refuse("copy", dest, "a directory is where a file should go"));
            }
            Some(there) if (there.dev(), there.ino()) == (found.dev(), found.ino()) => return Ok(()),
            Some(_) if found.is_file() || found.is_symlink() => {
                fs::remove_file(dest).map_err(Error::io("replace", dest))?;
            }
            _ => {}
        }
        if found.is_symlink() {
            let target = fs::read_link(src).map_err(Error::io("read the symlink", src))?;
            symlink(target, dest).map_err(Error::io("link", dest))
        } else if found.is_file() {
            self.file(src, dest, found)
        } else {
            Err(refuse("copy", src, "only files, directories and symlinks can be copied"))
        }
    }

    fn file(&mut self, src: &Path, dest: &Path, found: &Metadata) -> Result<()> {
        if found.nlink() > 1 {
            if let Some(first) = self.links.get(&(found.dev(), found.ino())) {
                return fs::hard_link(first, dest).map_err(Error::io("link", dest));
            }
            self.links.insert((found.dev(), found.ino()), dest.to_path_buf());
        }
        let mut from = File::open(src).map_err(Error::io("read", src))?;
        let _nobody_starts = busy::writing_program(found.mode());
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(dest)
            .map_err(Error::io("create", dest))?;
        io::copy(&mut from, &mut to).map_err(Error::io("write", dest))?;
        if self.options.times {
            times(found).and_then(|times| to.set_times(times)).map_err(Error::io("date", dest))?;
        }
        to.set_permissions(permissions(found.mode())).map_err(Error::io("set the mode of", dest))
    }
}

/// A new directory that can be filled, whatever its mode will be in the end.
fn create_writable(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new().mode(0o700 | mode & 0o777).create(path).map_err(Error::io("create the directory", path))
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, permissions(mode)).map_err(Error::io("set the mode of", path))
}

fn permissions(mode: u32) -> Permissions {
    Permissions::from_mode(mode & 0o7777)
}

fn times(found: &Metadata) -> io::Result<FileTimes> {
    Ok(FileTimes::new().set_modified(found.modified()?))
}

/// The names in a directory, sorted, so that what happens does not depend on the file system.
pub(crate) fn names(dir: &Path) -> Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>())
        .map_err(Error::io("read the directory", dir))?;
    names.sort();
    Ok(names)
}

fn refuse(verb: &'static str, path: &Path, why: &'static str) -> Error {
    Error::io(verb, path)(io::Error::other(why))
}

#[cfg(test)]
mod tests;
