//! The recipe of a command: found, read, and made into a project with the directories that were asked for.

use std::path::{Component, Path, PathBuf};

use super::args::Common;
use super::terminal::Terminal;
use crate::{Engine, Error, Platform, Project, Recipe, RecipeOptions, Result};

/// A recipe and the project that it describes.
pub(super) struct Loaded {
    recipe: Recipe,
    project: Project,
    dir: PathBuf,
    platform: Option<Platform>,
    offline: bool,
}

impl Loaded {
    /// Reads the recipe that the options name.
    pub(super) fn new(common: &Common, terminal: &Terminal) -> Result<Self> {
        Self::on(None, common, terminal)
    }

    /// The same, on a machine that was looked at already.
    pub(super) fn on(platform: Option<&Platform>, common: &Common, terminal: &Terminal) -> Result<Self> {
        let file = &common.file;
        let options = RecipeOptions { platform: platform.cloned(), ..RecipeOptions::default() };
        let recipe = Recipe::load(file, &options).map_err(|error| missing(error, file))?;
        recipe.notes().iter().for_each(|note| terminal.say(&format!("{note}\n")));
        let mut project = recipe.project();
        if let Some(dir) = &common.work_dir {
            project = project.work_dir(from_here(dir)?);
        }
        if let Some(dir) = &common.install_dir {
            project = project.install_dir(from_here(dir)?);
        }
        let project = project.build().map_err(|error| recipe.locate(error))?;
        let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
        Ok(Self { recipe, project, dir, platform: options.platform, offline: common.offline })
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(super) fn project(&self) -> &Project {
        &self.project
    }

    /// The directory that the recipe lies in.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// An engine for the project.
    pub(super) fn engine(&self) -> Engine<'_> {
        let engine = equip(Engine::new(&self.project), self.offline);
        match &self.platform {
            Some(platform) => engine.platform(platform.clone()),
            None => engine,
        }
    }

    /// Adds the place in the recipe to an error, where it is known.
    pub(super) fn locate<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.recipe.locate(error))
    }
}

/// Tells an engine of this process what every command needs.
pub(super) fn equip(engine: Engine<'_>, offline: bool) -> Engine<'_> {
    engine.environment(std::env::vars_os()).offline(offline)
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

/// A directory of the command line: relative to the current one. No `..` is left in it, which a project cannot have.
pub(super) fn from_here(dir: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(dir);
    let absolute = absolute.map_err(|source| Error::Io { verb: "find", path: dir.to_path_buf(), source })?;
    let mut found = PathBuf::new();
    for part in absolute.components() {
        if part == Component::ParentDir {
            // What a symbolic link leads to has another parent than the link.
            found = found.canonicalize().unwrap_or(found);
            found.pop();
        } else {
            found.push(part);
        }
    }
    Ok(found)
}
