//! A task: one unit of a project, and the words that describe it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::command::{Block, Command, Copy, Emit, Link, Mkdir, Shell};
use super::env::Env;
use super::input::Input;
use super::license::License;
use super::mentions;
use super::particulars::{NONE, Particulars};
use super::source::{At, Source};

/// One unit of a project: what it is made from, what it depends on, and the steps that install it.
///
/// Setters take and return the value and never fail; [`ProjectBuilder::build`](super::ProjectBuilder::build) checks
/// everything at once.
#[derive(Debug, Clone)]
pub struct Task {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) commands: Vec<Command>,
    pub(crate) is_virtual: bool,
    /// `None` as long as all of them are as they are unless said.
    particulars: Option<Box<Particulars>>,
}

impl Task {
    /// A task without steps. The name becomes part of file names: letters, digits and `._+-`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: None,
            depends_on: Vec::new(),
            commands: Vec::new(),
            is_virtual: false,
            particulars: None,
        }
    }

    /// The version. Every task that is not virtual has one.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Where the input comes from.
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.say().source = Some(source.into());
        self
    }

    /// The licence's name: an SPDX expression or free text.
    pub fn license(mut self, id: impl Into<String>) -> Self {
        self.say().license.id = id.into();
        self
    }

    /// Adds a file of the source that carries the licence's text.
    pub fn license_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.say().license.files.push(path.into());
        self
    }

    /// Adds a direct upstream: it is installed before this task starts, and its shasum counts into this one's.
    pub fn depends_on(mut self, task: impl Into<String>) -> Self {
        self.depends_on.push(task.into());
        self
    }

    /// Puts the task into a named group. Tasks that share a group never run at the same time.
    pub fn sequence(mut self, group: impl Into<String>) -> Self {
        self.say().sequences.push(group.into());
        self
    }

    /// Adds a step of any kind.
    pub fn step(mut self, step: impl Into<Command>) -> Self {
        if self.commands.is_empty() {
            // Many tasks have a single step, and room for more would be half of what a task takes.
            self.commands.reserve_exact(1);
        }
        self.commands.push(step.into());
        self
    }

    /// Adds a shell command.
    pub fn command(self, command: impl Into<Shell>) -> Self {
        self.step(command.into())
    }

    /// Adds a copy of a file or directory.
    pub fn copy(self, source: impl Into<PathBuf>, dest: impl Into<PathBuf>) -> Self {
        self.step(Copy::new(source, dest))
    }

    /// Adds a symbolic link at `path` that points to `target`.
    pub fn link(self, target: impl Into<PathBuf>, path: impl Into<PathBuf>) -> Self {
        self.step(Link::new(target, path))
    }

    /// Adds a directory, with its parents.
    pub fn mkdir(self, path: impl Into<PathBuf>) -> Self {
        self.step(Mkdir::new(path))
    }

    /// Adds a block of code.
    pub fn block(self, block: Block) -> Self {
        self.step(block)
    }

    /// Adds a line of output.
    pub fn emit(self, text: impl Into<String>) -> Self {
        self.step(Emit::new(text))
    }

    /// Declares environment variables for all steps. They count into the shasum.
    pub fn env(mut self, env: impl Into<Env>) -> Self {
        let say = self.say();
        say.env = say.env.merged(&env.into());
        self
    }

    /// Hands on a variable of the caller's environment without counting it.
    pub fn pass_env(mut self, name: impl Into<String>) -> Self {
        self.say().pass_env.push(name.into());
        self
    }

    /// Counts the output of a command, such as `cc --version`, into the shasum.
    pub fn probe(mut self, command: impl Into<String>) -> Self {
        self.say().probes.push(command.into());
        self
    }

    /// Counts the content of a file or directory into the shasum, relative to the recipe directory unless absolute.
    pub fn input(mut self, path: impl Into<PathBuf>) -> Self {
        self.say().inputs.push(Input::Tree { path: path.into(), excludes: Vec::new() });
        self
    }

    /// Whether the task may be fetched from and given to the cache; it may unless said. A task that may not installs
    /// directly into the install directory, without a stage.
    pub fn cache(mut self, wanted: bool) -> Self {
        self.say().cache = wanted;
        self
    }

    /// Makes the task a mere grouping: it needs no version or licence and is not in the manifest.
    pub fn virtual_task(mut self, wanted: bool) -> Self {
        self.is_virtual = wanted;
        self
    }

    /// Takes a directory below the unpacked source as the source directory.
    pub fn relative_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.say().relative_path = Some(path.into());
        self
    }

    /// Whether symbolic links in the stage stay links; they do unless said. Otherwise each becomes what it points to.
    pub fn preserve_symlinks(mut self, wanted: bool) -> Self {
        self.say().preserve_symlinks = wanted;
        self
    }

    /// Allows this task to replace files that another one installs.
    pub fn overrides(mut self, task: impl Into<String>) -> Self {
        self.say().overrides.push(task.into());
        self
    }

    /// The longest that one step may take. There is no limit unless said.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.say().time_limit = Some(limit);
        self
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its direct upstreams, as declared.
    pub fn upstreams(&self) -> &[String] {
        &self.depends_on
    }

    /// Its steps, in order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Its licence.
    pub fn licensing(&self) -> &License {
        &self.particulars().license
    }

    /// Everything outside the model that counts into the task's shasum and has to be looked up before planning,
    /// besides the project's own [`inputs`](super::Project::inputs).
    pub fn all_inputs(&self) -> Vec<Input> {
        let mut inputs = self.files();
        inputs.extend(self.particulars().source.as_ref().and_then(source_input));
        inputs.extend(self.particulars().probes.iter().cloned().map(Input::Probe));
        inputs.extend(self.commands.iter().filter_map(command_input));
        inputs.into_iter().collect()
    }

    /// What it says besides, or what stands for what it does not say.
    pub(crate) fn particulars(&self) -> &Particulars {
        self.particulars.as_deref().unwrap_or(&NONE)
    }

    /// The same, to say something.
    fn say(&mut self) -> &mut Particulars {
        self.particulars.get_or_insert_default()
    }

    /// The inputs that are declared, to be spelled in another way.
    pub(super) fn inputs_mut(&mut self) -> &mut [Input] {
        self.particulars.as_mut().map_or(&mut [], |particulars| &mut particulars.inputs)
    }

    /// The inputs that are declared and those that texts mention.
    pub(crate) fn files(&self) -> BTreeSet<Input> {
        let mut files = mentions::of_task(&self.commands, self.particulars());
        files.extend(self.particulars().inputs.iter().cloned());
        files
    }
}

fn source_input(source: &Source) -> Option<Input> {
    match source {
        Source::Archive(_) => None,
        Source::Local(local) => Some(Input::Tree { path: local.path.clone(), excludes: local.excludes.clone() }),
        Source::Git(git) => match &git.at {
            At::Reference(reference) => {
                Some(Input::GitReference { url: git.url.clone(), reference: reference.clone() })
            }
            At::Commit(_) | At::Nothing => None,
        },
    }
}

/// A file of the recipe that a step is made from: a patch, a template.
fn command_input(command: &Command) -> Option<Input> {
    match command {
        Command::Patch(step) => step.content.input(),
        Command::Template(step) => step.content.input(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::Patch;

    #[test]
    fn every_file_that_a_task_reads_is_an_input() {
        let task = Task::new("t")
            .source(Source::local("src").exclude("*.o"))
            .step(Patch::file("fix.patch"))
            .copy("/etc/motd", "motd")
            .copy("inside", "elsewhere")
            .command("install @{recipe_dir}/etc/conf @{stage_install_dir}")
            .probe("cc --version");
        assert_eq!(
            task.all_inputs(),
            [
                Input::File("fix.patch".into()),
                Input::Tree { path: "src".into(), excludes: vec!["*.o".into()] },
                Input::Mention("/etc/motd".into()),
                Input::Mention("etc/conf".into()),
                Input::Probe("cc --version".into()),
            ]
        );
    }
}
