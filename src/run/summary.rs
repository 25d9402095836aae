//! The licence summary: one file that says under which licences the product and everything in it stand.

use std::fmt::Write as _;
use std::fs::{File, FileTimes, Metadata, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::event::{Event, TaskRef};
use super::licenses;
use crate::error::{Error, Result};
use crate::host::drafts::Drafts;
use crate::host::fs;
use crate::model::{Digest, License, Project, Task};

/// The permissions of a summary.
const MODE: u32 = 0o644;

/// Whether a summary with this text, with the date and mode of one that is new, is there already.
pub(crate) fn is_written(project: &Project, text: &str) -> Result<bool> {
    let path = project.license_summary();
    let compare = || -> io::Result<bool> {
        let found = std::fs::symlink_metadata(&path)?;
        let dressed = found.is_file() && found.mode() & 0o7777 == MODE && found.modified()? == date(project);
        Ok(dressed && fs::has_content(&path, text.as_bytes())?)
    };
    match compare() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        compared => compared.map_err(Error::io("read", &path)),
    }
}

/// What [`look`] finds where a summary with this text was written.
pub(crate) fn digest(project: &Project, text: &str) -> Digest {
    let seconds = date(project).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Digest::of(format!("{seconds} {MODE:o}\n{text}"))
}

/// A digest of the summary that is there, of its date and its mode.
pub(crate) fn look(project: &Project) -> Option<Digest> {
    let path = project.license_summary();
    let found = std::fs::symlink_metadata(&path).ok().filter(Metadata::is_file)?;
    let head = format!("{} {:o}\n", found.mtime(), found.mode() & 0o7777);
    Some(Digest::of([head.into_bytes(), std::fs::read(&path).ok()?].concat()))
}

fn date(project: &Project) -> SystemTime {
    let date = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(project.source_date_epoch));
    date.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Writes the summary. A run that is killed meanwhile leaves a draft, which the next one writes over or [`sweep`]s away.
pub(crate) fn write(project: &Project, text: &str) -> Result<()> {
    let path = project.license_summary();
    fs::create_dirs(fs::parent(&path))?;
    sweep(project)?;
    let draft = draft(project);
    let mut file = File::create_new(&draft).map_err(Error::io("create", &draft))?;
    file.write_all(text.as_bytes()).map_err(Error::io("write", &draft))?;
    // Like everything that is installed, so that equal products are equal trees.
    let times = FileTimes::new().set_modified(date(project));
    file.set_times(times).map_err(Error::io("date", &draft))?;
    file.set_permissions(Permissions::from_mode(MODE)).map_err(Error::io("set the mode of", &draft))?;
    std::fs::rename(&draft, &path).map_err(Error::io("write", &path))
}

/// Removes the draft that a run has left which was killed.
pub(crate) fn sweep(project: &Project) -> Result<()> {
    let draft = draft(project);
    match std::fs::remove_file(&draft) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Error::io("remove", &draft)(error))
        }
        _ => Ok(()),
    }
}

/// What a summary is called until it is whole: always the same, so that nobody has to look for it.
fn draft(project: &Project) -> PathBuf {
    fs::parent(&project.license_summary()).join(Drafts::of(&project.work_dir).name("summary"))
}

/// What is told instead when a task installs a file of its own where the summary goes.
pub(crate) fn not_written(project: &Project, owner: TaskRef) -> Event {
    let path = project.license_summary();
    let text = format!("`{}` is its own; set `license_file_path` to get a license summary elsewhere", path.display());
    Event::Warning { task: Some(owner), text }
}

/// The summary's text.
pub(crate) fn text<'t>(project: &Project, installed: impl Iterator<Item = &'t Task>) -> String {
    let about = project.metadata();
    let version = about.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let license = about.license.as_deref().unwrap_or(License::UNSPECIFIED);
    let mut text = format!("{}{version} license: \"{license}\"\n\n", project.name());
    if let Some(content) = &about.license_content {
        text.push_str(content.trim_end());
        text.push_str("\n\n");
    }
    installed.filter(|task| !task.is_virtual).for_each(|task| describe(&mut text, project, task));
    text
}

fn describe(text: &mut String, project: &Project, task: &Task) {
    let version = task.version.as_deref().unwrap_or_default();
    let license = &task.particulars().license.id;
    let parts = ["This product bundles ", task.name(), " ", version, ",\nwhich is available under a \"", license];
    parts.iter().for_each(|part| text.push_str(part));
    text.push_str("\" License.\n");
    if !task.particulars().license.files.is_empty() {
        _ = writeln!(text, "For details, see:");
        task.particulars().license.files.iter().for_each(|file| detail(text, project, task, file));
    }
    text.push('\n');
}

fn detail(text: &mut String, project: &Project, task: &Task, file: &Path) {
    let path = licenses::installed(project, task.name(), file);
    _ = writeln!(text, "{}", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_has_left_of_it_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project::new("shop").install_dir(dir.path()).work_dir("/w").build().unwrap();
        let names = || {
            let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
            names.collect::<Vec<_>>()
        };
        std::fs::write(draft(&project), "half").unwrap();
        write(&project, "whole").unwrap();
        assert_eq!(names(), ["LICENSE"]);
        assert!(is_written(&project, "whole").unwrap() && !is_written(&project, "hole").unwrap());
        std::fs::write(draft(&project), "half").unwrap();
        sweep(&project).unwrap();
        sweep(&project).unwrap();
        assert_eq!(names(), ["LICENSE"]);
    }

    #[test]
    fn a_summary_names_the_product_and_all_that_is_in_it() {
        let project = Project::new("shop").install_dir("/opt/shop").work_dir("/w").version("1.2");
        let project = project.license("Apache-2.0").license_content("Licensed under…\n");
        let project = project
            .task(
                Task::new("zlib").version("1.3.1").license("Zlib").license_file("LICENSE").license_file("doc/LICENSE"),
            )
            .task(Task::new("all").virtual_task(true))
            .task(Task::new("tool").version("2"))
            .build()
            .unwrap();
        let expected = "\
shop 1.2 license: \"Apache-2.0\"

Licensed under…

This product bundles zlib 1.3.1,
which is available under a \"Zlib\" License.
For details, see:
/opt/shop/LICENSES/zlib/LICENSE
/opt/shop/LICENSES/zlib/doc/LICENSE

This product bundles tool 2,
which is available under a \"Unspecified\" License.

";
        assert_eq!(text(&project, project.tasks().iter()), expected);
    }
}
