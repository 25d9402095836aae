//! Neutral sources: nothing of a local directory, a checkout or a plain file reaches the product but what counts into the
//! key. That is content, names, links and the executable bit; other bits of modes and all times differ from clone to clone.

use std::fs::{self, FileTimes, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::host::busy;
use crate::host::listing::{Exclude, Kind, Listing};

/// What every file is dated: 2 January 1980, since zip files know nothing earlier. With equal times, `make` takes
/// generated files that are checked in for up to date.
const DATE: Duration = Duration::from_secs(315_619_200);

/// Copies what `exclude` does not leave out of the directory `source` into the directory `dest`.
pub(crate) fn copy(source: &Path, dest: &Path, exclude: Exclude<'_>) -> Result<()> {
    for entry in Listing::of_filtered(source, exclude)?.entries {
        let (from, to) = (source.join(&entry.path), dest.join(&entry.path));
        match entry.kind {
            Kind::Directory => {
                fs::create_dir(&to).map_err(Error::io("create the directory", &to))?;
                set_mode(&to, 0o755)?;
            }
            Kind::Symlink(target) => symlink(target, &to).map_err(Error::io("link", &to))?,
            Kind::File => copy_file(&from, entry.mode, &to)?,
            Kind::Special(what) => return Err(Error::io("copy", &from)(io::Error::other(format!("it is a {what}")))),
        }
    }
    Ok(())
}

/// Gives everything in a directory that someone else has filled the modes and the time that a copy would have.
pub(crate) fn level(dir: &Path) -> Result<()> {
    Listing::of(dir)?.entries.par_iter().try_for_each(|entry| {
        let path = dir.join(&entry.path);
        match entry.kind {
            Kind::Directory => set_mode(&path, 0o755),
            Kind::File => {
                let file = fs::File::open(&path).map_err(Error::io("open", &path))?;
                file.set_times(FileTimes::new().set_modified(date())).map_err(Error::io("date", &path))?;
                set_mode(&path, plain(entry.mode))
            }
            Kind::Symlink(_) | Kind::Special(_) => Ok(()),
        }
    })
}

/// Copies one file; of its mode, only whether its owner may execute it.
pub(crate) fn copy_file(from: &Path, mode: u32, to: &Path) -> Result<()> {
    let mut source = fs::File::open(from).map_err(Error::io("read", from))?;
    let _nobody_starts = busy::writing_program(mode);
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut copy = new.map_err(Error::io("create", to))?;
    io::copy(&mut source, &mut copy).map_err(Error::io("write", to))?;
    copy.set_times(FileTimes::new().set_modified(date())).map_err(Error::io("date", to))?;
    drop(copy);
    set_mode(to, plain(mode))
}

fn plain(mode: u32) -> u32 {
    if mode & 0o100 != 0 { 0o755 } else { 0o644 }
}

fn date() -> SystemTime {
    UNIX_EPOCH + DATE
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::io("set the mode of", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn only_what_counts_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let (source, dest) = (dir.path().join("source"), dir.path().join("dest"));
        fs::create_dir_all(source.join("sub")).unwrap();
        fs::create_dir(&dest).unwrap();
        for (name, mode) in [("sub/run", 0o4711), ("sub/read", 0o600), ("left-out", 0o644)] {
            fs::write(source.join(name), name).unwrap();
            set_mode(&source.join(name), mode).unwrap();
        }
        set_mode(&source.join("sub"), 0o700).unwrap();
        symlink("nowhere", source.join("link")).unwrap();
        copy(&source, &dest, &|path, _| path == Path::new("left-out")).unwrap();
        let mode = |name: &str| fs::symlink_metadata(dest.join(name)).unwrap().mode() & 0o7777;
        assert_eq!([mode("sub"), mode("sub/run"), mode("sub/read")], [0o755, 0o755, 0o644]);
        assert_eq!(fs::metadata(dest.join("sub/run")).unwrap().modified().unwrap(), date());
        assert_eq!(fs::read_link(dest.join("link")).unwrap(), Path::new("nowhere"));
        assert!(!dest.join("left-out").exists());
        level(&source).unwrap();
        let mode = |name: &str| fs::symlink_metadata(source.join(name)).unwrap().mode() & 0o7777;
        assert_eq!([mode("sub"), mode("sub/run"), mode("sub/read")], [0o755, 0o755, 0o644]);
        assert_eq!(fs::metadata(source.join("sub/run")).unwrap().modified().unwrap(), date());
    }
}
