//! The memory of a recipe: under which name and key the engine keeps how its product stood, so that a build with nothing
//! to do need not read the recipe.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::args::Common;
use super::recipe::from_here;
use crate::{Digest, Origin, Platform, Recipe, Standing};

/// The memory of the recipe that the options name.
pub(super) struct Memory {
    recipe_dir: PathBuf,
    /// What the options say of it, absolute.
    work_dir: Option<PathBuf>,
    name: Digest,
    key: Digest,
    platform: Platform,
}

/// Bytes at the beginning of a recipe in which it says where its work directory is, if it says so.
const BEGINNING: u64 = 16 << 10;

impl Memory {
    /// `None` for a recipe or a program that cannot be found.
    pub(super) fn of(common: &Common) -> Option<Self> {
        let parent = common.file.parent().filter(|dir| !dir.as_os_str().is_empty());
        let recipe_dir = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let absolute = |dir: &Option<PathBuf>| dir.as_deref().map(from_here).transpose().ok();
        let (work_dir, install_dir) = (absolute(&common.work_dir)?, absolute(&common.install_dir)?);
        let name = format!("{:?}", (&recipe_dir, &common.file, &work_dir, &install_dir));
        let platform = crate::detect(Path::new("/"));
        let key = Digest::of(format!("{name}{:?}{platform:?}", program()?));
        Some(Self { recipe_dir, work_dir, name: Digest::of(name), key, platform })
    }

    /// What is kept, if it is of this very program, its options and this machine.
    pub(super) fn standing(&self, common: &Common) -> Option<Standing> {
        let work_dir = match &self.work_dir {
            Some(dir) => dir.clone(),
            None => self.recipe_dir.join(said(&common.file).unwrap_or_else(|| ".cortado".into())),
        };
        Standing::read(&work_dir, &self.name, &self.key)
    }

    /// The machine, as the recipe sees it.
    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// What the recipe was made from; `None` if that is more than can be looked at again.
    pub(super) fn origin(&self, recipe: &Recipe) -> Option<Origin> {
        let mut origin = Origin::new(self.name, self.key);
        origin.files = recipe.origin()?;
        origin.notes = recipe.notes().to_vec();
        Some(origin)
    }
}

/// Where the recipe in `file` seems to say that its work directory is. Without reading it that can only be guessed; after
/// a wrong guess nothing is found, and the recipe is read.
fn said(file: &Path) -> Option<String> {
    let mut beginning = Vec::with_capacity(BEGINNING as usize);
    File::open(file).ok()?.take(BEGINNING).read_to_end(&mut beginning).ok()?;
    let text = String::from_utf8_lossy(&beginning);
    let (_, value) = text.split_once("work_dir")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    value.get(1..)?.split_once(quote).map(|(dir, _)| dir.to_owned())
}

/// By what this program differs from others, also from one of the same version that was compiled at another time.
fn program() -> Option<impl std::fmt::Debug> {
    let found = std::env::current_exe().ok()?.metadata().ok()?;
    let times = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
    Some((env!("CARGO_PKG_VERSION"), crate::KEY_FORMAT, found.dev(), found.ino(), found.len(), times))
}
