//! Publishing: how a draft becomes an object, whole, and without taking the place of another.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::depot::Depot;
use super::difference;
use super::draft::Draft;
use super::entry::Entry;
use super::fault;
use super::record::Record;
use crate::cache::put::Put;
use crate::cache::stored::Stored;

/// How a file came to bear an object's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    /// There was none.
    New,
    /// It replaced one of that size.
    Replaced(u64),
    /// There is one, which stays.
    Taken,
}

impl Depot {
    /// Keeps the content of a stream.
    pub(super) fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        let object = self.layout.object(name)?;
        if !options.replace && self.is_object(&object) {
            return Ok(difference::beside(&object, options.digest, content));
        }
        match Draft::from_stream(self, options.size, content)? {
            Ok(draft) => self.publish(draft, name, &object, options),
            Err(why) => Ok(Stored::Declined(why)),
        }
    }

    /// Keeps a file.
    pub(super) fn put_file(&self, name: &str, source: &Path, options: &Put) -> anyhow::Result<Stored> {
        let object = self.layout.object(name)?;
        if !options.replace && self.is_object(&object) {
            return compare(&object, source, options);
        }
        match Draft::from_file(self, options.size, source)? {
            Ok(draft) => self.publish(draft, name, &object, options),
            Err(why) => Ok(Stored::Declined(why)),
        }
    }

    fn publish(&self, draft: Draft<'_>, name: &str, object: &Path, options: &Put) -> anyhow::Result<Stored> {
        let record = Record::Put { file: draft.made.inode, entry: self.entry(&draft, name, options) };
        draft.writer.record(&record).context("could not write the log of the store")?;
        fault::point("put: recorded");
        let placed = self.place(draft.path(), object, options.replace);
        fault::point("put: placed");
        let placed = match placed {
            Ok(Placed::Taken) | Err(_) => {
                draft.writer.record(&Record::Void { name: name.to_owned(), file: draft.made.inode })?;
                placed.with_context(|| format!("could not write `{}`", object.display()))?
            }
            Ok(placed) => placed,
        };
        match placed {
            Placed::Taken => return compare(object, draft.path(), options),
            Placed::Replaced(size) => draft.writer.room().free(super::entry::charge(size)),
            Placed::New => {}
        }
        draft.kept();
        self.disk.flush_dir(crate::host::fs::parent(object))?;
        Ok(Stored::New)
    }

    fn entry(&self, draft: &Draft<'_>, name: &str, options: &Put) -> Entry {
        let now = draft.writer.now();
        let (digest, provenance) = (options.digest, options.provenance.clone());
        Entry { name: name.to_owned(), size: draft.made.size, stored: now, used: now, digest, provenance }
    }

    /// Gives a draft an object's name.
    fn place(&self, draft: &Path, object: &Path, replace: bool) -> anyhow::Result<Placed> {
        // Every round removes one obstacle; somebody else may put up another.
        for _ in 0..8 {
            match if replace { exchange(draft, object) } else { rename_new(draft, object) } {
                Ok(placed) => return Ok(placed),
                Err(error) if error.kind() == ErrorKind::NotFound => self.make_shard(draft, object)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists && !replace => {
                    match fs::symlink_metadata(object) {
                        Ok(found) if found.is_file() => return Ok(Placed::Taken),
                        Ok(found) => clear(object, &found)?,
                        Err(_) => {}
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        bail!("something is always in its place")
    }

    /// Makes the directory of an object, for a draft that is there. That of all objects is made if somebody has removed
    /// it from a store that is there.
    fn make_shard(&self, draft: &Path, object: &Path) -> anyhow::Result<()> {
        let shard = crate::host::fs::parent(object);
        match self.disk.make_dir(shard) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.layout.format().exists() => {
                self.disk.make_dir(&self.layout.objects())?;
                self.disk.make_dir(shard)?;
            }
            made => made?,
        }
        ensure!(draft.exists(), "others have taken this process for dead");
        Ok(())
    }

    /// Whether there is an object, a file that is.
    pub(super) fn is_object(&self, path: &Path) -> bool {
        self.disk.look_anew(crate::host::fs::parent(path));
        fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
    }
}

/// What keeping comes to when there is an object already, and ours lies in a file.
fn compare(kept: &Path, ours: &Path, options: &Put) -> anyhow::Result<Stored> {
    let mut file = fs::File::open(ours).with_context(|| format!("could not open `{}`", ours.display()))?;
    Ok(difference::beside(kept, options.digest, &mut file))
}

/// Renames, unless the name is taken.
fn rename_new(draft: &Path, object: &Path) -> io::Result<Placed> {
    match renameat_with(CWD, draft, CWD, object, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Placed::New),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_new(draft, object),
        Err(error) => Err(error.into()),
    }
}

/// What [`rename_new`] does, where the file system cannot: NFS, for one.
fn link_new(draft: &Path, object: &Path) -> io::Result<Placed> {
    let inode = |path: &Path| fs::symlink_metadata(path).map(|found| found.ino()).ok();
    match fs::hard_link(draft, object) {
        // An NFS server that answers twice says that the name is taken: by this very file.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && inode(draft) != inode(object) => Err(error),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => {
            fault::point("put: linked to its name");
            fs::remove_file(draft).map(|()| Placed::New)
        }
    }
}

/// Renames over whatever file has that name. Its size is known for certain where the two can be exchanged.
fn exchange(draft: &Path, object: &Path) -> io::Result<Placed> {
    match fs::symlink_metadata(object) {
        Ok(found) if !found.is_file() => clear(object, &found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Where another comes between, there is one to exchange it with.
            match rename_new(draft, object) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                placed => return placed,
            }
        }
        _ => {}
    }
    match renameat_with(CWD, draft, CWD, object, RenameFlags::EXCHANGE) {
        Ok(()) => {
            fault::point("put: exchanged");
            let size = fs::symlink_metadata(draft)?.len();
            fs::remove_file(draft).map(|()| Placed::Replaced(size))
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => fs::rename(draft, object).map(|()| Placed::Replaced(0)),
        Err(error) => Err(error.into()),
    }
}

/// Removes what is in an object's place and holds nothing: a symlink, or an empty directory. Anything else is somebody's.
fn clear(path: &Path, found: &Metadata) -> io::Result<()> {
    let removed = if found.is_symlink() { fs::remove_file(path) } else { fs::remove_dir(path) };
    removed.map_err(|error| io::Error::new(error.kind(), format!("it is not a file, and cannot be removed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_rename_that_replaces_nothing_a_link_does() {
        let dir = tempfile::tempdir().unwrap();
        let (draft, object) = (dir.path().join("draft"), dir.path().join("object"));
        fs::write(&draft, "first").unwrap();
        assert_eq!(link_new(&draft, &object).unwrap(), Placed::New);
        assert!(!draft.exists());
        fs::write(&draft, "second").unwrap();
        assert_eq!(link_new(&draft, &object).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&object).unwrap(), b"first");
        // What an NFS server has done, and then says that it could not do.
        fs::hard_link(&object, dir.path().join("same")).unwrap();
        assert_eq!(link_new(&dir.path().join("same"), &object).unwrap(), Placed::New);
    }
}
