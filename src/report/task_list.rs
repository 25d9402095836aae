//! The task list: the tasks of a project with their versions and dependencies.

use serde::Serialize;

use super::JSON_FORMAT;
use super::paint::{Ink, Paint};
use super::table::{Cell, table};
use crate::error::Result;
use crate::model::{Project, Task};
use crate::plan::Graph;

/// The tasks of a project, upstreams first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskList {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The project.
    pub project: String,
    /// Its tasks.
    pub tasks: Vec<ListedTask>,
}

/// A task of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedTask {
    /// The task.
    pub name: String,
    /// Its version; a virtual task may have none.
    pub version: Option<String>,
    /// Whether it is virtual.
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    /// Whether it is staged and cached.
    pub cache: bool,
    /// Its direct upstreams, as declared.
    pub dependencies: Vec<String>,
}

impl TaskList {
    /// Lists a project.
    ///
    /// # Errors
    /// A dependency that no task bears, and a circle.
    pub fn of(project: &Project) -> Result<Self> {
        let order = Graph::new(project)?.select(&[] as &[&str])?;
        let tasks = order.into_iter().filter_map(|position| project.tasks().get(position));
        let tasks = tasks.map(|task| ListedTask::of(project, task)).collect();
        Ok(Self { format: JSON_FORMAT, project: project.name().to_owned(), tasks })
    }

    /// The list for people, a line for each task.
    pub fn text(&self, paint: Paint) -> String {
        let rows: Vec<_> = self.tasks.iter().map(ListedTask::row).collect();
        table(&rows, paint)
    }
}

impl ListedTask {
    fn of(project: &Project, task: &Task) -> Self {
        Self {
            name: task.name().to_owned(),
            version: task.version.clone(),
            is_virtual: task.is_virtual,
            cache: project.caches(task),
            dependencies: task.upstreams().to_vec(),
        }
    }

    fn row(&self) -> Vec<Cell> {
        let version = match self.version.as_deref() {
            None if self.is_virtual => "virtual",
            version => version.unwrap_or_default(),
        };
        let dependencies = match self.dependencies.join(", ") {
            none if none.is_empty() => none,
            names => format!("after {names}"),
        };
        vec![(self.name.clone(), Ink::Bold), (version.to_owned(), Ink::Plain), (dependencies, Ink::Faint)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_after_what_they_need() {
        let project = Project::new("shop").install_dir("/o").work_dir("/w");
        let project = project
            .task(Task::new("all").virtual_task(true).depends_on("app").depends_on("zlib"))
            .task(Task::new("app").version("2").depends_on("zlib"))
            .task(Task::new("zlib").version("1.3.1"));
        let listing = TaskList::of(&project.build().unwrap()).unwrap();
        assert_eq!(
            listing.text(Paint::Never),
            "zlib  1.3.1\napp   2        after zlib\nall   virtual  after app, zlib\n"
        );
    }
}
