//! Makes every symbolic link of a stage what it points to, for tasks that do not preserve symlinks.

use std::path::Path;

use crate::error::{Error, Result};
use crate::host::copy::{CopyOptions, copy};
use crate::host::listing::{Kind, Listing};

/// Replaces the links below `root`, each by a copy of its target. A target outside `root` or absent is an error.
pub(crate) fn replace(root: &Path) -> Result<()> {
    let canonical = root.canonicalize().map_err(Error::io("find", root))?;
    for entry in Listing::of(root)?.entries {
        if let Kind::Symlink(target) = &entry.kind {
            replace_one(&canonical, &entry.path, target)?;
        }
    }
    Ok(())
}

fn replace_one(root: &Path, link: &Path, target: &Path) -> Result<()> {
    let path = root.join(link);
    // Absolute targets are meant as they will be when installed: from the root of the stage.
    let wanted = match target.strip_prefix("/") {
        Ok(below) => root.join(below),
        Err(_) => path.parent().unwrap_or(root).join(target),
    };
    let found = wanted.canonicalize().ok().filter(|found| found.starts_with(root) && !path.starts_with(found));
    let Some(found) = found else {
        return Err(Error::Step {
            step: "preserve_symlinks".into(),
            problem: format!("`{}` points to `{}`, which is not in the stage", link.display(), target.display()),
        });
    };
    std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    copy(&found, &path, CopyOptions { follow: true, times: false })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_become_what_they_point_to() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("lib")).unwrap();
        fs::write(root.join("lib/a.so.1"), "a").unwrap();
        symlink("a.so.1", root.join("lib/a.so")).unwrap();
        symlink("/lib/a.so.1", root.join("absolute")).unwrap();
        symlink("lib", root.join("lib64")).unwrap();
        replace(root).unwrap();
        for path in ["lib/a.so", "absolute", "lib64/a.so"] {
            assert!(fs::symlink_metadata(root.join(path)).unwrap().is_file(), "{path}");
        }
    }

    #[test]
    fn directories_that_link_to_each_other_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, link, target) in [("lib", "lib/a", "../share"), ("share", "share/b", "../lib")] {
            fs::create_dir(dir.path().join(name)).unwrap();
            symlink(target, dir.path().join(link)).unwrap();
        }
        let error = replace(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("a symlink leads back to a directory above it"), "{error}");
    }

    #[test]
    fn a_link_out_of_the_stage_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for target in ["/etc/passwd", "../..", "absent", "."] {
            let link = dir.path().join("link");
            symlink(target, &link).unwrap();
            assert!(matches!(replace(dir.path()), Err(Error::Step { .. })), "{target}");
            fs::remove_file(link).unwrap();
        }
    }
}
