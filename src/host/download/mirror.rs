//! Files already at hand: the directories given with `--sources`, searched by content.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::host::checksum;
use crate::model::Checksum;

/// The file with this checksum in one of the directories: first those named `name`, then all others.
pub(super) fn find(
    dirs: &[PathBuf],
    name: &str,
    checksum: &Checksum,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<PathBuf>> {
    for path in candidates(dirs, name)? {
        if cancelled() {
            return Err(Error::Interrupted);
        }
        // What cannot be read is no candidate: these directories hold other things too.
        if checksum::of_file(&path, &[checksum.algorithm()]).is_ok_and(|found| found.is(checksum)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Every regular file of the directories, once, the likeliest first.
fn candidates(dirs: &[PathBuf], name: &str) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for dir in dirs {
        let mut files = files(dir)?;
        files.sort();
        all.extend(files);
    }
    all.sort_by_key(|path| path.file_name() != Some(name.as_ref()));
    Ok(all)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}
