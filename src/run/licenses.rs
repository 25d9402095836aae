//! The licence files of a task: copied into what it installs when it is built, and looked for when it is restored.
//!
//! Each goes to `<install_dir>/LICENSES/<task>/<its path in the source>`: files of equal base names stay apart.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::error::{Error, Result};
use crate::host::fs;
use crate::host::layout::Layout;
use crate::model::{License, Project, Task};

/// Copies the licence files of a task from its source into `root`, which stands for `/`.
pub(crate) fn collect(task: &Task, project: &Project, root: &Path, context: &Context<'_>) -> Result<()> {
    for file in &task.particulars().license.files {
        let source = context.path(None, file);
        let target = root.join(below_root(&installed(project, task.name(), file)));
        let text = match std::fs::read(&source) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(Error::LicenseMissing { task: task.name.clone(), file: file.display().to_string() });
            }
            Err(error) => return Err(Error::io("read", &source)(error)),
        };
        fs::create_dirs(fs::parent(&target))?;
        fs::write_atomic(&target, &text)?;
        let plain = Permissions::from_mode(0o644);
        std::fs::set_permissions(&target, plain).map_err(Error::io("set the mode of", &target))?;
    }
    Ok(())
}

/// The first licence file of a task that is not in a tree.
pub(crate) fn missing<'t>(task: &'t Task, project: &Project, tree: &Layout) -> Option<&'t Path> {
    let place = |file: &Path| tree.place(below_root(&installed(project, task.name(), file)));
    let there =
        |file: &Path| place(file).is_some_and(|place| matches!(fs::probe(&place), Ok(Some(found)) if found.is_file()));
    task.particulars().license.files.iter().map(PathBuf::as_path).find(|file| !there(file))
}

/// Where a licence file is installed.
pub(crate) fn installed(project: &Project, task: &str, file: &Path) -> PathBuf {
    let own = match file.strip_prefix("@{recipe_dir}") {
        Ok(below_recipe) => below_recipe,
        Err(_) => file,
    };
    project.install_dir.join(License::DIR).join(task).join(own)
}

/// An absolute path as one below a root.
pub(crate) fn below_root(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
