//! The small verbs of the file system that everyone needs, each with an error that names the verb and the path.
//!
//! What differs from `std::fs`: files appear whole or not at all, removal copes with read-only directories and never
//! follows a symlink, and a directory is emptied without slowing down what is written into it next.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes of each file that [`same_content`] holds at a time.
const COMPARED_AT_ONCE: usize = 64 << 10;

/// The mode of a directory that everyone may read.
const OPEN: u32 = 0o755;

/// How the names of files begin that are not whole yet.
const DRAFT: &str = ".tmp-";

/// Writes a file whole: readers see the old content or the new, never a part.
///
/// The content goes to a temporary file in the same directory, which is then renamed. A symlink at `path` is replaced,
/// not followed. Not synchronised to disk: a power cut may cost the file, a crash of the program cannot.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(DRAFT)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(parent(path))
        .map_err(Error::io("create a file beside", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.persist(path).map(drop).map_err(|error| Error::io("write", path)(error.error))
}

/// Gives a finished file that everyone may read a second name, by a hard link. Whether there is a file of that name now;
/// `false` where no link can be made, so that it has to be copied.
///
/// # Errors
///
/// `AlreadyExists` where the name is taken.
pub(crate) fn share_file(file: &Path, name: &Path) -> io::Result<bool> {
    if fs::symlink_metadata(file)?.mode() & 0o777 != 0o644 {
        return Ok(false);
    }
    match make_in(parent(name), || fs::hard_link(file, name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(_) => Ok(false),
    }
}

/// Makes a directory and whatever is missing above it, with mode 0755 whatever the umask: products do not depend on it.
pub(crate) fn create_dirs(path: &Path) -> Result<()> {
    make_dirs(path).map_err(Error::io("create the directory", path))
}

/// Makes the directory at `relative` below `base`, which is there, and whatever is missing between them: from above,
/// so that in a fresh base no call is in vain.
pub(crate) fn create_dirs_below(base: &Path, relative: &Path) -> Result<()> {
    let mut path = base.to_path_buf();
    // What the umask, or the access list above, has left of the first it leaves of those below it.
    let mut takes_away = None;
    for component in relative {
        path.push(component);
        let made = make_open_dir(&path).and_then(|()| match takes_away {
            Some(false) => Ok(()),
            _ => give_mode(&path).map(|took| takes_away = Some(took)),
        });
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists || !path.is_dir() => {
                return Err(Error::io("create the directory", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes something in `dir`. Where the directory is missing, it is made and the making tried once more: to look for it
/// each time would cost more than all the rest.
pub(crate) fn make_in<T>(dir: &Path, mut make: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match make() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_dirs(dir)?;
            make()
        }
        made => made,
    }
}

fn make_dirs(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let made = match (make_dir(path), above) {
        (Err(error), Some(above)) if error.kind() == ErrorKind::NotFound => {
            make_dirs(above)?;
            make_dir(path)
        }
        (made, _) => made,
    };
    match made {
        Err(_) if path.as_os_str().is_empty() || path.is_dir() => Ok(()),
        made => made,
    }
}

fn make_dir(path: &Path) -> io::Result<()> {
    make_open_dir(path)?;
    give_mode(path).map(drop)
}

/// Makes a directory with what the umask leaves of mode 0755.
fn make_open_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(OPEN).create(path)
}

/// Gives a directory mode 0755, if it has another; whether it had. To look takes a third of the time.
fn give_mode(path: &Path) -> io::Result<bool> {
    let right = fs::symlink_metadata(path)?.mode() & 0o7777 == OPEN;
    if !right {
        fs::set_permissions(path, Permissions::from_mode(OPEN))?;
    }
    Ok(!right)
}

/// Whether a directory has nothing in it but temporary files: another process may be about to put the first one there.
pub(crate) fn is_vacant(dir: &Path) -> Result<bool> {
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let name = entry.map_err(Error::io("read", dir))?.file_name();
        if !is_draft(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes what those have left in a directory who were killed over writing a file [whole](write_atomic). Nobody may be
/// writing there.
pub(crate) fn sweep_drafts(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::io("read", dir))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("read", dir))?;
        if is_draft(&entry.file_name()) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(())
}

fn is_draft(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(DRAFT.as_bytes())
}

/// What is at `path` itself, a symlink not followed; `None` where there is nothing.
pub(crate) fn probe(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

/// Removes whatever is at `path`, a file, a symlink (never its target) or a whole tree; nothing there is fine.
///
/// Mostly there is nothing, or an empty directory: one call.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match missing_is_fine(fs::remove_dir(path)) {
        Ok(()) => Ok(()),
        Err(_) => remove_all(path),
    }
}

fn remove_all(path: &Path) -> Result<()> {
    match probe(path)? {
        None => Ok(()),
        Some(found) if !found.is_dir() => missing_is_fine(fs::remove_file(path)).map_err(Error::io("remove", path)),
        Some(_) => match missing_is_fine(fs::remove_dir_all(path)) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                open_up(path)?;
                missing_is_fine(fs::remove_dir_all(path)).map_err(Error::io("remove", path))
            }
            result => result.map_err(Error::io("remove", path)),
        },
    }
}

/// Leaves an empty directory at `path`, whatever was there.
///
/// Old content is renamed aside and removed from there: on ext4, creating files in a directory that has just lost many
/// is ten times slower for some seconds.
pub(crate) fn empty_dir(path: &Path) -> Result<()> {
    let parent = parent(path);
    match make_in(parent, || make_dir(path)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map_err(Error::io("create the directory", path)),
    }
    let aside = tempfile::Builder::new()
        .prefix(DRAFT)
        .tempdir_in(parent)
        .map_err(Error::io("create a directory beside", path))?
        .keep();
    fs::rename(path, aside.join("old")).map_err(Error::io("rename", path))?;
    create_dirs(path)?;
    remove_tree(&aside)
}

/// Whether two files have the same bytes. Sizes are the caller's to compare first.
pub(crate) fn same_content(first: &Path, second: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).map_err(Error::io("read", path));
    let (mut left, mut right) = (open(first)?, open(second)?);
    let (mut ours, mut theirs) = (vec![0; COMPARED_AT_ONCE], vec![0; COMPARED_AT_ONCE]);
    loop {
        let ours = fill(&mut left, &mut ours).map_err(Error::io("read", first))?;
        let theirs = fill(&mut right, &mut theirs).map_err(Error::io("read", second))?;
        if ours != theirs || ours.is_empty() {
            return Ok(ours == theirs);
        }
    }
}

/// Whether a file has just these bytes.
pub(crate) fn has_content(path: &Path, mut bytes: &[u8]) -> io::Result<bool> {
    let (mut file, mut piece) = (File::open(path)?, vec![0; COMPARED_AT_ONCE]);
    loop {
        let found = fill(&mut file, &mut piece)?;
        let Some(rest) = bytes.strip_prefix(found) else { return Ok(false) };
        if found.is_empty() {
            return Ok(rest.is_empty());
        }
        bytes = rest;
    }
}

/// The directory that holds `path`; `.` for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str() == OsStr::new("") => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Gives every directory of a tree back to its owner, so that it can be removed.
fn open_up(dir: &Path) -> Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(Error::io("make writable", dir))?;
    for entry in fs::read_dir(dir).map_err(Error::io("read the directory", dir))? {
        let entry = entry.map_err(Error::io("read the directory", dir))?;
        let path = entry.path();
        if entry.file_type().map_err(Error::io("look at", &path))?.is_dir() {
            open_up(&path)?;
        }
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends.
fn fill<'a>(file: &mut File, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_written_file_replaces_a_symlink_and_leaves_its_target_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read(&link).unwrap(), b"new");
        assert!(!link.is_symlink());
        assert_eq!(names(dir.path()), ["link", "target"]);
    }

    #[test]
    fn a_failed_write_names_the_file_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("taken")).unwrap();
        let error = write_atomic(&dir.path().join("taken"), b"new").unwrap_err().to_string();
        assert!(error.starts_with("could not write `") && error.contains("taken`"), "{error}");
        assert_eq!(names(dir.path()), ["taken"]);
    }

    #[test]
    fn a_tree_with_read_only_directories_is_removed_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, kept) = (dir.path().join("tree"), dir.path().join("kept"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(&kept, "").unwrap();
        fs::write(tree.join("a/b/file"), "").unwrap();
        symlink(dir.path(), tree.join("a/up")).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o500)).unwrap();
        remove_tree(&tree).unwrap();
        remove_tree(&tree).unwrap();
        assert_eq!(names(dir.path()), ["kept"]);
    }

    #[test]
    fn a_locked_tree_opens_up() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::set_permissions(dir.path().join("a/b"), Permissions::from_mode(0o000)).unwrap();
        open_up(&dir.path().join("a")).unwrap();
        let mode = fs::metadata(dir.path().join("a/b")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn removing_a_symlink_to_a_directory_keeps_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("target")).unwrap();
        symlink("target", dir.path().join("link")).unwrap();
        remove_tree(&dir.path().join("link")).unwrap();
        assert_eq!(names(dir.path()), ["target"]);
    }

    #[test]
    fn an_emptied_directory_is_empty_whatever_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("above/stage");
        empty_dir(&path).unwrap();
        fs::write(path.join("file"), "").unwrap();
        empty_dir(&path).unwrap();
        assert!(names(&path).is_empty());
        fs::remove_dir(&path).unwrap();
        symlink("/nowhere", &path).unwrap();
        empty_dir(&path).unwrap();
        assert!(!path.is_symlink() && names(&path).is_empty());
        assert_eq!(names(&dir.path().join("above")), ["stage"]);
    }

    #[test]
    fn files_are_the_same_to_the_last_byte() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            fs::write(dir.path().join(name), bytes).unwrap();
            dir.path().join(name)
        };
        let mut bytes = vec![7; COMPARED_AT_ONCE * 2];
        let (first, same) = (file("first", &bytes), file("same", &bytes));
        bytes[COMPARED_AT_ONCE * 2 - 1] = 8;
        let (other, empty) = (file("other", &bytes), file("empty", b""));
        assert!(same_content(&first, &same).unwrap());
        assert!(!same_content(&first, &other).unwrap());
        assert!(!same_content(&first, &empty).unwrap());
        assert!(same_content(&empty, &empty).unwrap());
        assert!(has_content(&other, &bytes).unwrap() && has_content(&empty, b"").unwrap());
        bytes.push(0);
        assert!(!has_content(&other, &bytes).unwrap() && !has_content(&empty, &bytes).unwrap());
        assert!(!has_content(&first, &bytes[..bytes.len() - 1]).unwrap());
        assert!(!has_content(&other, &bytes[..COMPARED_AT_ONCE]).unwrap());
    }
}
