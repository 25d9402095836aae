//! A project: its directories, what it says about itself, and its tasks, checked as a whole.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::env::Env;
use super::input::Input;
use super::link_mode::LinkMode;
use super::mentions;
use super::metadata::Metadata;
use super::name;
use super::patterns::pattern_set;
use super::task::Task;
use super::validate;
use crate::error::{Error, Result};

/// What of the machine counts into every shasum of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlatformKey {
    /// The operating system, architecture, and the C library's family and version.
    #[default]
    Host,
    /// A text of the user's, which may be empty.
    Is(String),
    /// Nothing: artifacts are the same everywhere.
    Any,
}

/// A checked project. Make one with [`Project::new`].
#[derive(Debug, Clone)]
pub struct Project {
    pub(crate) name: String,
    pub(crate) install_dir: PathBuf,
    pub(crate) work_dir: PathBuf,
    pub(crate) recipe_dir: PathBuf,
    pub(crate) cache: bool,
    pub(crate) cache_tag_prefix: Option<String>,
    pub(crate) platform: PlatformKey,
    pub(crate) salt: String,
    pub(crate) source_date_epoch: u64,
    pub(crate) env: Env,
    pub(crate) pass_env: Vec<String>,
    pub(crate) inherit_env: bool,
    pub(crate) extra_files: Vec<String>,
    pub(crate) license_file_path: Option<PathBuf>,
    pub(crate) link_mode: LinkMode,
    pub(crate) callback_timeout: Option<Duration>,
    pub(crate) metadata: Metadata,
    pub(crate) tasks: Vec<Task>,
}

impl Project {
    /// Begins a project. The name becomes the prefix of its tags.
    #[expect(clippy::new_ret_no_self, reason = "a project exists once it is checked; until then it is a builder")]
    pub fn new(name: impl Into<String>) -> ProjectBuilder {
        ProjectBuilder {
            project: Project {
                name: name.into(),
                install_dir: PathBuf::new(),
                work_dir: PathBuf::new(),
                recipe_dir: PathBuf::new(),
                cache: true,
                cache_tag_prefix: None,
                platform: PlatformKey::Host,
                salt: String::new(),
                source_date_epoch: 0,
                env: Env::new(),
                pass_env: Vec::new(),
                inherit_env: false,
                extra_files: Vec::new(),
                license_file_path: None,
                link_mode: LinkMode::default(),
                callback_timeout: Some(Duration::from_secs(600)),
                metadata: Metadata::default(),
                tasks: Vec::new(),
            },
        }
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the product lives at run time.
    pub fn install_dir(&self) -> &Path {
        &self.install_dir
    }

    /// The engine's own directory.
    pub fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    /// What the project says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tasks, in the order of their declaration.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The task of that name.
    pub fn task(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name == name)
    }

    /// What counts into every task's shasum and has to be looked up before planning: files that the project's
    /// environment mentions.
    pub fn inputs(&self) -> Vec<Input> {
        mentions::of_env(&self.env).into_iter().collect()
    }

    /// Whether a task is staged and cached, rather than installed directly.
    pub(crate) fn caches(&self, task: &Task) -> bool {
        self.cache && task.particulars().cache
    }

    /// What comes before the task's name in a tag, without the hyphen.
    pub(crate) fn tag_prefix(&self) -> &str {
        self.cache_tag_prefix.as_deref().unwrap_or(&self.name)
    }

    /// Where the licence summary is written.
    pub(crate) fn license_summary(&self) -> PathBuf {
        self.license_file_path.clone().unwrap_or_else(|| self.install_dir.join("LICENSE"))
    }
}

/// A project on its way: setters never fail, [`build`](ProjectBuilder::build) checks everything.
#[derive(Debug, Clone)]
#[must_use = "a project does nothing until it is built"]
pub struct ProjectBuilder {
    project: Project,
}

impl ProjectBuilder {
    /// Where the product lives at run time; an absolute path. It counts into every shasum.
    pub fn install_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.project.install_dir = dir.into();
        self
    }

    /// The engine's own directory for sources, stages, trees and logs; an absolute path. It does not count.
    pub fn work_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.project.work_dir = dir.into();
        self
    }

    /// What relative paths of patches, templates, local sources and inputs start from; an absolute path, the work
    /// directory unless said. It does not count.
    pub fn recipe_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.project.recipe_dir = dir.into();
        self
    }

    /// Whether tasks are staged and cached; they are unless said.
    pub fn cache(mut self, wanted: bool) -> Self {
        self.project.cache = wanted;
        self
    }

    /// What tags start with instead of the project's name; an empty text for nothing. It is part of the tag, not of the
    /// shasum.
    pub fn cache_tag_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.project.cache_tag_prefix = Some(prefix.into());
        self
    }

    /// What of the machine counts into the shasums.
    pub fn platform(mut self, platform: PlatformKey) -> Self {
        self.project.platform = platform;
        self
    }

    /// A text that counts into every shasum: change it to start anew.
    pub fn salt(mut self, salt: impl Into<String>) -> Self {
        self.project.salt = salt.into();
        self
    }

    /// The time, in seconds since 1970, that every installed file bears and that tools see as `SOURCE_DATE_EPOCH`;
    /// 0 unless said. It counts.
    pub fn source_date_epoch(mut self, seconds: u64) -> Self {
        self.project.source_date_epoch = seconds;
        self
    }

    /// Declares environment variables for all tasks. They count into the shasums.
    pub fn env(mut self, env: impl Into<Env>) -> Self {
        self.project.env = self.project.env.merged(&env.into());
        self
    }

    /// Hands on a variable of the caller's environment to all tasks, without counting it.
    pub fn pass_env(mut self, name: impl Into<String>) -> Self {
        self.project.pass_env.push(name.into());
        self
    }

    /// Hands on the caller's whole environment, uncounted: builds then depend on who runs them. Off unless said.
    pub fn inherit_env(mut self, wanted: bool) -> Self {
        self.project.inherit_env = wanted;
        self
    }

    /// Allows installing a path outside the install directory: an absolute glob pattern.
    pub fn extra_file(mut self, pattern: impl Into<String>) -> Self {
        self.project.extra_files.push(pattern.into());
        self
    }

    /// Where the licence summary is written; `<install_dir>/LICENSE` unless said.
    pub fn license_file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.project.license_file_path = Some(path.into());
        self
    }

    /// How files get from a tree into the install directory.
    pub fn link_mode(mut self, mode: LinkMode) -> Self {
        self.project.link_mode = mode;
        self
    }

    /// The longest that one call of a cache callback may take before it counts as failed; ten minutes unless said,
    /// `None` for no limit.
    pub fn callback_timeout(mut self, limit: Option<Duration>) -> Self {
        self.project.callback_timeout = limit;
        self
    }

    /// The product's version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.project.metadata.version = Some(version.into());
        self
    }

    /// The build of that version, from 1.
    pub fn iteration(mut self, iteration: u32) -> Self {
        self.project.metadata.iteration = Some(iteration);
        self
    }

    /// The commit that the recipe was checked out at.
    pub fn git_revision(mut self, revision: impl Into<String>) -> Self {
        self.project.metadata.git_revision = Some(revision.into());
        self
    }

    /// One line about the product.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.project.metadata.description = Some(text.into());
        self
    }

    /// The product's web page.
    pub fn homepage(mut self, url: impl Into<String>) -> Self {
        self.project.metadata.homepage = Some(url.into());
        self
    }

    /// `Name <address>` of who answers for the product.
    pub fn maintainer(mut self, name: impl Into<String>) -> Self {
        self.project.metadata.maintainer = Some(name.into());
        self
    }

    /// The product's own licence.
    pub fn license(mut self, id: impl Into<String>) -> Self {
        self.project.metadata.license = Some(id.into());
        self
    }

    /// The product's own licence text.
    pub fn license_content(mut self, text: impl Into<String>) -> Self {
        self.project.metadata.license_content = Some(text.into());
        self
    }

    /// Adds a task.
    pub fn task(mut self, task: Task) -> Self {
        self.project.tasks.push(task);
        self
    }

    /// Adds tasks.
    pub fn tasks(mut self, tasks: impl IntoIterator<Item = Task>) -> Self {
        // A vector of many thousand is taken over as it is.
        let mut tasks: Vec<Task> = tasks.into_iter().collect();
        match self.project.tasks.is_empty() {
            true => self.project.tasks = tasks,
            false => self.project.tasks.append(&mut tasks),
        }
        self
    }

    /// Checks everything that can be known without looking at the machine.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be, [`Error::Duplicate`] for two tasks of one name. Dependencies are
    /// checked when the project is planned.
    pub fn build(self) -> Result<Project> {
        let mut project = self.project;
        let place = format!("project `{}`", project.name);
        name::check(&place, &project.name)?;
        if let Some(prefix) = project.cache_tag_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            name::check(&format!("{place}, cache_tag_prefix"), prefix)?;
        }
        project.install_dir = absolute(&place, "install_dir", &project.install_dir)?;
        project.work_dir = absolute(&place, "work_dir", &project.work_dir)?;
        if project.recipe_dir.as_os_str().is_empty() {
            project.recipe_dir = project.work_dir.clone();
        }
        project.recipe_dir = absolute(&place, "recipe_dir", &project.recipe_dir)?;
        check_apart(&place, &project)?;
        validate::env(&place, &project.env)?;
        pattern_set(&format!("{place}, extra_files"), &project.extra_files)?;
        check_tasks(&project.tasks)?;
        let recipe_dir = project.recipe_dir.clone();
        project.tasks.iter_mut().for_each(|task| make_relative(task, &recipe_dir));
        Ok(project)
    }
}

fn check_tasks(tasks: &[Task]) -> Result<()> {
    let mut seen = hashbrown::HashSet::with_capacity(tasks.len());
    for task in tasks {
        validate::task(task)?;
        if !seen.insert(task.name.as_str()) {
            return Err(Error::Duplicate { name: task.name.clone() });
        }
    }
    Ok(())
}

/// Spells declared inputs in one way, from the recipe directory where they lie below it, so that the key does not
/// depend on where that is.
fn make_relative(task: &mut Task, recipe_dir: &Path) {
    for input in task.inputs_mut() {
        if let Input::Tree { path, .. } = input {
            *path = path.strip_prefix(recipe_dir).unwrap_or(path).components().collect();
        }
    }
}

/// An absolute path without `.` and `..`, which is not the root.
fn absolute(place: &str, field: &str, path: &Path) -> Result<PathBuf> {
    let invalid = |problem: String, hint: &str| Error::Invalid {
        place: format!("{place}, {field}"),
        problem,
        hint: hint.to_owned(),
    };
    if path.as_os_str().is_empty() {
        return Err(invalid("is not set".into(), "give an absolute path"));
    }
    let clean = !path.components().any(|part| matches!(part, Component::ParentDir));
    if !path.is_absolute() || !clean {
        return Err(invalid(
            format!("`{}` is not an absolute path", path.display()),
            "begin it with `/`, without `..`",
        ));
    }
    let path: PathBuf = path.components().collect();
    if path.parent().is_none() {
        return Err(invalid("`/` is not a directory to work in".into(), "choose a directory of its own"));
    }
    Ok(path)
}

/// The work directory is cleaned by the engine, so the product must not live in it.
fn check_apart(place: &str, project: &Project) -> Result<()> {
    if !project.install_dir.starts_with(&project.work_dir) {
        return Ok(());
    }
    Err(Error::Invalid {
        place: format!("{place}, install_dir"),
        problem: format!(
            "`{}` lies in the work directory `{}`",
            project.install_dir.display(),
            project.work_dir.display()
        ),
        hint: "choose an install directory outside the work directory".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> ProjectBuilder {
        Project::new("shop").install_dir("/opt/shop").work_dir("/var/cache/shop")
    }

    #[test]
    fn a_project_is_checked_as_a_whole() {
        assert!(shop().task(Task::new("zlib").version("1")).build().is_ok());
        let twice = shop().task(Task::new("a").version("1")).task(Task::new("a").version("2")).build();
        assert!(matches!(twice, Err(Error::Duplicate { name }) if name == "a"));
    }

    #[test]
    fn directories_are_absolute_apart_and_not_the_root() {
        for (install, work) in [("opt", "/w"), ("/", "/w"), ("/opt/..", "/w"), ("/w/out", "/w"), ("/o", "")] {
            let built = Project::new("shop").install_dir(install).work_dir(work).build();
            assert!(matches!(built, Err(Error::Invalid { .. })), "{install} {work}");
        }
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = Project::new("shop").work_dir("/w").build().unwrap_err();
        assert_eq!(error.to_string(), "project `shop`, install_dir: is not set");
    }
}
