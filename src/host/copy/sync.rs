//! Makes one directory a mirror of another.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use globset::GlobSet;

use super::{Copier, CopyOptions, create_writable, names, refuse, refuse_nesting, set_mode};
use crate::error::{Error, Result};
use crate::host::fs::{create_dirs, parent, probe, same_content};

/// Whether a target that exists is to be replaced: handed the source and the target.
pub(crate) type Decide<'a> = &'a dyn Fn(&Path, &Path) -> anyhow::Result<bool>;

/// Makes `dest` like `src`: copies what differs in kind, content or mode, removes what `src` does not have.
///
/// What `excludes` matches, by path relative to `src`, is neither copied nor removed. `decide` is asked about each
/// file or symlink whose target exists, before anything is compared.
///
/// # Errors
///
/// As for [`copy`](super::copy); errors of `decide`; an excluded file below a directory that has to give way.
pub(crate) fn sync(src: &Path, dest: &Path, excludes: &GlobSet, decide: Option<Decide<'_>>) -> Result<()> {
    create_dirs(parent(dest))?;
    refuse_nesting(src, dest)?;
    let mut mirror = Sync { src, dest, excludes, decide, copier: Copier::new(CopyOptions::default()) };
    create_dirs(dest)?;
    refuse_inside_out(src, dest)?;
    mirror.directory(Path::new(""))
}

/// Mirroring a directory onto one above it would remove the source.
fn refuse_inside_out(src: &Path, dest: &Path) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).map_err(Error::io("find", path));
    let (from, to) = (real(src)?, real(dest)?);
    match from != to && from.starts_with(&to) {
        true => Err(refuse("sync", src, "it lies inside the destination")),
        false => Ok(()),
    }
}

struct Sync<'a> {
    src: &'a Path,
    dest: &'a Path,
    excludes: &'a GlobSet,
    decide: Option<Decide<'a>>,
    copier: Copier,
}

impl Sync<'_> {
    /// Mirrors one directory that exists on both sides.
    fn directory(&mut self, relative: &Path) -> Result<()> {
        let wanted = names(&self.src.join(relative))?;
        for name in &wanted {
            let relative = relative.join(name);
            if !self.excludes.is_match(&relative) {
                self.entry(&relative)?;
            }
        }
        let wanted: HashSet<OsString> = wanted.into_iter().collect();
        for name in names(&self.dest.join(relative))?.into_iter().filter(|name| !wanted.contains(name)) {
            self.clear(&relative.join(name))?;
        }
        Ok(())
    }

    fn entry(&mut self, relative: &Path) -> Result<()> {
        let (src, dest) = (self.src.join(relative), self.dest.join(relative));
        let wanted = fs::symlink_metadata(&src).map_err(Error::io("copy", &src))?;
        let there = probe(&dest)?;
        if wanted.is_dir() {
            return self.subdirectory(relative, &wanted, there);
        }
        if let Some(there) = there {
            if !self.may_replace(&src, &dest)? || alike(&src, &wanted, &dest, &there)? {
                return Ok(());
            }
            if there.is_dir() && !self.clear(relative)? {
                return Err(refuse("replace", &dest, "it holds excluded files"));
            }
        }
        self.copier.leaf(&src, &dest, &wanted)
    }

    fn subdirectory(&mut self, relative: &Path, wanted: &Metadata, there: Option<Metadata>) -> Result<()> {
        let dest = self.dest.join(relative);
        match there {
            Some(there) if there.is_dir() => {
                if there.mode() & 0o700 != 0o700 {
                    set_mode(&dest, there.mode() | 0o700)?;
                }
            }
            Some(_) => {
                fs::remove_file(&dest).map_err(Error::io("replace", &dest))?;
                create_writable(&dest, wanted.mode())?;
            }
            None => create_writable(&dest, wanted.mode())?,
        }
        self.directory(relative)?;
        set_mode(&dest, wanted.mode())
    }

    fn may_replace(&self, src: &Path, dest: &Path) -> Result<bool> {
        self.decide.map_or(Ok(true), |decide| decide(src, dest)).map_err(Error::User)
    }

    /// Removes a target and all below it except what is excluded; whether it is gone.
    fn clear(&self, relative: &Path) -> Result<bool> {
        let dest = self.dest.join(relative);
        if self.excludes.is_match(relative) {
            return Ok(false);
        }
        let Some(there) = probe(&dest)? else { return Ok(true) };
        if !there.is_dir() {
            return fs::remove_file(&dest).map(|()| true).map_err(Error::io("remove", &dest));
        }
        if there.mode() & 0o700 != 0o700 {
            set_mode(&dest, there.mode() | 0o700)?;
        }
        let mut empty = true;
        for name in names(&dest)? {
            empty &= self.clear(&relative.join(name))?;
        }
        if empty {
            fs::remove_dir(&dest).map_err(Error::io("remove", &dest))?;
        }
        Ok(empty)
    }
}

/// Whether the target is already what the source is.
fn alike(src: &Path, wanted: &Metadata, dest: &Path, there: &Metadata) -> Result<bool> {
    if wanted.is_symlink() && there.is_symlink() {
        let read = |path: &Path| fs::read_link(path).map_err(Error::io("read the symlink", path));
        return Ok(read(src)? == read(dest)?);
    }
    let files = wanted.is_file() && there.is_file();
    Ok(files && wanted.mode() == there.mode() && wanted.len() == there.len() && same_content(src, dest)?)
}
