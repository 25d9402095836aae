//! The licence summary: one file that says under which licences the product and everything in it stand.

use std::fmt::Write;
use std::fs::{File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::event::{Event, TaskRef};
use super::licenses;
use crate::error::{Error, Result};
use crate::host::fs;
use crate::model::{License, Project, Task};

/// Whether a summary with this text is there already.
pub(crate) fn is_written(project: &Project, text: &str) -> Result<bool> {
    let path = project.license_summary();
    match fs::has_content(&path, text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        compared => compared.map_err(Error::io("read", &path)),
    }
}

/// Writes the summary.
pub(crate) fn write(project: &Project, text: &str) -> Result<()> {
    let path = project.license_summary();
    fs::create_dirs(fs::parent(&path))?;
    fs::write_atomic(&path, text.as_bytes())?;
    // Like everything that is installed, so that equal products are equal trees.
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(project.source_date_epoch));
    let times = FileTimes::new().set_modified(time.unwrap_or(SystemTime::UNIX_EPOCH));
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    file.set_times(times).map_err(Error::io("date", &path))?;
    file.set_permissions(Permissions::from_mode(0o644)).map_err(Error::io("set the mode of", &path))
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
