//! The licences: under which terms the product and each of its tasks stand, and where the texts are installed.

use std::path::PathBuf;

use serde::Serialize;

use super::JSON_FORMAT;
use super::paint::{Ink, Paint};
use super::table::{Cell, table};
use crate::model::{License, Project, Task};
use crate::run::licenses::installed;

/// The licences of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LicenseReport {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The project.
    pub project: String,
    /// Its version.
    pub version: Option<String>,
    /// Its own licence.
    pub license: String,
    /// Its tasks in the order of their declaration, without virtual ones.
    pub tasks: Vec<TaskLicense>,
}

/// The licence of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskLicense {
    /// The task.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// The licence's name, `Unspecified` where nobody named it.
    pub license: String,
    /// Where its texts are installed.
    pub files: Vec<PathBuf>,
}

impl LicenseReport {
    /// The licences of a project.
    pub fn of(project: &Project) -> Self {
        let about = project.metadata();
        let real = project.tasks().iter().filter(|task| !task.is_virtual);
        Self {
            format: JSON_FORMAT,
            project: project.name().to_owned(),
            version: about.version.clone(),
            license: about.license.clone().unwrap_or_else(|| License::UNSPECIFIED.to_owned()),
            tasks: real.map(|task| TaskLicense::of(project, task)).collect(),
        }
    }

    /// The licences for people: the product, then a line for each task.
    pub fn text(&self, paint: Paint) -> String {
        let product = row(&self.project, self.version.as_deref(), &self.license, String::new());
        let tasks = self.tasks.iter().map(|task| {
            let files: Vec<_> = task.files.iter().map(|file| file.display().to_string()).collect();
            row(&task.name, task.version.as_deref(), &task.license, files.join(" "))
        });
        table(&std::iter::once(product).chain(tasks).collect::<Vec<_>>(), paint)
    }
}

impl TaskLicense {
    fn of(project: &Project, task: &Task) -> Self {
        let license = task.licensing();
        Self {
            name: task.name().to_owned(),
            version: task.version.clone(),
            license: license.id.clone(),
            files: license.files.iter().map(|file| installed(project, task.name(), file)).collect(),
        }
    }
}

fn row(name: &str, version: Option<&str>, license: &str, files: String) -> Vec<Cell> {
    let ink = if license == License::UNSPECIFIED { Ink::Warn } else { Ink::Plain };
    vec![
        (name.to_owned(), Ink::Bold),
        (version.unwrap_or("-").to_owned(), Ink::Plain),
        (license.to_owned(), ink),
        (files, Ink::Faint),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_comes_first_and_virtual_tasks_not_at_all() {
        let project = Project::new("shop").install_dir("/opt/shop").work_dir("/w").license("Apache-2.0");
        let project = project
            .task(Task::new("zlib").version("1.3.1").license("Zlib").license_file("LICENSE"))
            .task(Task::new("all").virtual_task(true))
            .task(Task::new("tool").version("2"));
        let report = LicenseReport::of(&project.build().unwrap());
        let expected = "\
shop  -      Apache-2.0
zlib  1.3.1  Zlib         /opt/shop/LICENSES/zlib/LICENSE
tool  2      Unspecified
";
        assert_eq!(report.text(Paint::Never), expected);
    }
}
