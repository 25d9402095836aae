//! A recipe: a Lua file, read into a project.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::callbacks::LuaCallbacks;
use super::files::Record;
use super::options::RecipeOptions;
use super::origin::Origin;
use super::script::Place;
use super::stores::Stores;
use crate::{Callbacks, Configuration, Digest, Error, ProjectBuilder, Result};

/// A recipe that was read: its project, its cache callbacks, and where everything stands in it.
#[derive(Clone)]
pub struct Recipe {
    project: ProjectBuilder,
    callbacks: Option<Arc<LuaCallbacks>>,
    stores: Option<Stores>,
    files: Vec<PathBuf>,
    notes: Vec<String>,
    place: Place,
    tasks: HashMap<String, Place>,
    dir: PathBuf,
    /// `None` if something could not be read.
    record: Option<Arc<Record>>,
}

impl Recipe {
    /// Reads the recipe at `path`, a Lua file.
    ///
    /// Relative directories of its project lie below the recipe's directory, and the work directory is
    /// `.cortado` there unless the recipe says otherwise.
    ///
    /// # Errors
    /// [`Error::Io`] for a recipe that cannot be found, [`Error::Recipe`] for a mistake in it or in a module that it
    /// requires, and for one that uses up its limits.
    pub fn load(path: &Path, options: &RecipeOptions) -> Result<Recipe> {
        let shown_dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let real = path.canonicalize().map_err(Error::io("read", path))?;
        let here = if shown_dir.as_os_str().is_empty() { Path::new(".") } else { &shown_dir };
        let dir = here.canonicalize().map_err(Error::io("read", here))?;
        let name = path.file_name().filter(|_| real.is_file()).map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name else {
            return Err(Error::io("read", path)(std::io::ErrorKind::IsADirectory.into()));
        };
        Self::read(Origin {
            shown_dir,
            dir,
            name,
            options: options.clone(),
            platform: options.platform.clone().unwrap_or_else(|| crate::detect(Path::new("/"))),
            record: None,
            #[cfg(test)]
            rendezvous: None,
        })
    }

    pub(super) fn read(origin: Origin) -> Result<Recipe> {
        let (_lua, reading) = origin.read()?;
        let mut declared = reading.declared.take();
        let Some((project, place)) = declared.project.take() else {
            return Err(Error::Recipe { file: origin.shown_dir, line: 0, problem: String::new(), hint: String::new() });
        };
        let words = (declared.fetch.is_some(), declared.update.is_some());
        let record = Arc::new(reading.files.record());
        let dir = origin.dir.clone();
        let again = Origin { record: Some(record.clone()), ..origin };
        let callbacks = (words != (false, false)).then(|| Arc::new(LuaCallbacks::new(again, words)));
        Ok(Recipe {
            project: project.tasks(declared.tasks),
            callbacks,
            stores: declared.stores,
            files: reading.paths(),
            notes: declared.notes,
            place,
            tasks: declared.places,
            dir,
            record: Some(record).filter(|_| !reading.files.have_missed()),
        })
    }

    /// The project, to be changed where the caller knows better and then built.
    pub fn project(&self) -> ProjectBuilder {
        self.project.clone()
    }

    /// The functions given to `shop:cache`. Each call runs on a thread of its own, so that slow ones overlap.
    pub fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        self.callbacks.clone().map(|callbacks| callbacks as Arc<dyn Callbacks>)
    }

    /// Adds what the recipe says of stores to a configuration.
    ///
    /// ```no_run
    /// # fn main() -> cortado::Result<()> {
    /// use cortado::{Configuration, Recipe, RecipeOptions, Surroundings, Tiers};
    ///
    /// let recipe = Recipe::load("cortado.lua".as_ref(), &RecipeOptions::default())?;
    /// let configuration = recipe.configure(Configuration::new(Surroundings::new("/shop")));
    /// let cache = configuration.merge()?.cache("shop")?;
    /// let open = |tier: &cortado::TierSpec| Ok(tier.with(tier.store(&|_| Ok(String::new()))?.open()?));
    /// let tiers = Tiers::new(cache.tiers.iter().map(open).collect::<cortado::Result<Vec<_>>>()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(&self, configuration: Configuration) -> Configuration {
        match &self.stores {
            Some(stores) => stores.configure(configuration),
            None => configuration,
        }
    }

    /// Everything that was read: the recipe, the modules it requires, and files.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Everything that was read, by absolute paths, with the digests of the bytes that Lua was given: as long as these
    /// files and the recipe's options are the same, so is what the recipe says. `None` for a recipe that has looked for
    /// something that it could not read, and may say something else when it can.
    pub fn origin(&self) -> Option<Vec<(PathBuf, Digest)>> {
        let files = self.record.as_ref()?.iter();
        Some(files.map(|(path, bytes)| (self.dir.join(path), Digest::of(bytes))).collect())
    }

    /// What the recipe said with `print`, each with its place.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds the place in the recipe to an error about its project or one of its tasks; others come back as they are.
    pub fn locate(&self, error: Error) -> Error {
        let (task, hint) = match &error {
            Error::Invalid { place, .. } => (named_task(place), error.hint()),
            Error::Unknown { wanted_by: Some(task), .. } => (Some(task.as_str()), error.hint()),
            Error::Cycle { path } => (path.first().map(String::as_str), error.hint()),
            _ => return error,
        };
        let place = task.and_then(|task| self.tasks.get(task)).unwrap_or(&self.place).clone();
        Error::Recipe { file: place.file, line: place.line, problem: error.to_string(), hint: hint.unwrap_or_default() }
    }
}

/// The task in ``task `zlib`, source``.
fn named_task(place: &str) -> Option<&str> {
    place.strip_prefix("task `")?.split('`').next()
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe").field("project", &self.project).field("files", &self.files).finish_non_exhaustive()
    }
}
