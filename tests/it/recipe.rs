//! Recipes as their authors meet them: what they can say, what they are told when it is wrong, and what they cannot do.
mod blocks;
mod coffeeshop;
mod mistakes;
mod reference;
mod sandbox;
mod stores;
mod words;

use std::path::Path;

use cortado::Error;
use cortado::lua::{Recipe, RecipeOptions};
use tempfile::TempDir;

/// A directory with recipe files in it.
struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A directory whose `cortado.lua` is this text.
    fn with(recipe: &str) -> Self {
        Self::new().file("cortado.lua", recipe)
    }

    fn file(self, path: &str, content: &str) -> Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Result<Recipe, Error> {
        self.load_with(&RecipeOptions::default())
    }

    fn load_with(&self, options: &RecipeOptions) -> Result<Recipe, Error> {
        Recipe::load(&self.path().join("cortado.lua"), options)
    }

    /// What the author is told: `file:line: problem`, and the hint on a line of its own.
    fn told(&self) -> String {
        let result = self.load().and_then(|recipe| recipe.project().build().map_err(|error| recipe.locate(error)));
        let Err(error) = result else { panic!("no mistake was found") };
        assert!(matches!(error, Error::Recipe { .. }), "{error:?}");
        let text = error.to_string().replace(&format!("{}/", self.path().display()), "");
        match error.hint() {
            Some(hint) => format!("{text}\n{hint}"),
            None => text,
        }
    }
}
