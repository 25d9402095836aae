//! The recipe of a command: found, read, and made into a project with the directories that were asked for.

use std::path::{Path, PathBuf};

use super::args::Common;
use super::terminal::Terminal;
use crate::{Engine, Error, Project, Recipe, RecipeOptions, Result};

/// A recipe and the project that it describes.
pub(super) struct Loaded {
    recipe: Recipe,
    project: Project,
    offline: bool,
}

impl Loaded {
    /// Reads the recipe that the options name.
    pub(super) fn new(common: &Common, terminal: &Terminal) -> Result<Self> {
        let file = &common.file;
        let recipe = Recipe::load(file, &RecipeOptions::default()).map_err(|error| missing(error, file))?;
        recipe.notes().iter().for_each(|note| terminal.say(&format!("{note}\n")));
        let mut project = recipe.project();
        if let Some(dir) = &common.work_dir {
            project = project.work_dir(from_here(dir)?);
        }
        if let Some(dir) = &common.install_dir {
            project = project.install_dir(from_here(dir)?);
        }
        let project = project.build().map_err(|error| recipe.locate(error))?;
        Ok(Self { recipe, project, offline: common.offline })
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(super) fn project(&self) -> &Project {
        &self.project
    }

    /// An engine that knows of this process what every command needs.
    pub(super) fn engine(&self) -> Engine<'_> {
        Engine::new(&self.project).environment(std::env::vars_os()).offline(self.offline)
    }

    /// Adds the place in the recipe to an error, where it is known.
    pub(super) fn locate<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.recipe.locate(error))
    }
}

/// A recipe that is not there is a mistake of whoever called, not of the machine.
fn missing(error: Error, file: &Path) -> Error {
    match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Error::Invalid {
            place: format!("recipe `{}`", file.display()),
            problem: "there is no such file".into(),
            hint: "name the recipe with `--file`, or go to the directory that has a `cortado.lua`".into(),
        },
        Error::Io { source, .. } => Error::Invalid {
            place: format!("recipe `{}`", file.display()),
            problem: source.to_string(),
            hint: "name a recipe that can be read with `--file`".into(),
        },
        error => error,
    }
}

/// A directory of the command line: relative to the current one.
fn from_here(dir: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(dir);
    absolute.map_err(|source| Error::Io { verb: "find", path: dir.to_path_buf(), source })
}
