//! Our own directories: the work and the install directory, which are nobody's source wherever they lie.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The directories, under every name by which a walk may come upon them.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    dirs: [PathBuf; 2],
    /// Found when first asked for: most tasks walk through nothing.
    true_names: OnceLock<Vec<PathBuf>>,
}

impl Ours {
    /// These directories. One that is there is known by its true name besides: a walk begins with a true name, while
    /// whoever names a directory may do so by way of a symbolic link.
    pub(crate) fn of(dirs: [&Path; 2]) -> Self {
        Self { dirs: dirs.map(Path::to_path_buf), true_names: OnceLock::new() }
    }

    /// Whether a path is one of them.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let find = || self.dirs.iter().filter_map(|dir| dir.canonicalize().ok()).collect();
        self.dirs.iter().chain(self.true_names.get_or_init(find)).any(|place| place == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_known_by_its_name_and_by_its_true_name() {
        let room = tempfile::tempdir().unwrap();
        let (real, alias) = (room.path().canonicalize().unwrap().join("real"), room.path().join("alias"));
        std::fs::create_dir_all(real.join("work")).unwrap();
        std::os::unix::fs::symlink(&real, &alias).unwrap();
        let ours = Ours::of([&alias.join("work"), &alias.join("install")]);
        assert!(ours.has(&real.join("work")) && ours.has(&alias.join("work")) && ours.has(&alias.join("install")));
        assert!(!ours.has(&real) && !ours.has(&real.join("work/trees")));
    }
}
