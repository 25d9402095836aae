//! The survey: looks up everything outside the model that counts into the keys, before anything is planned.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::environment::Variables;
use super::ours::Ours;
use super::source::Supply;
use super::state::State;
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::checksum;
use crate::host::git::Git;
use crate::host::listing::{Entry, Kind, Listing, Stat};
use crate::host::process::Process;
use crate::model::{Digest, Env, Input, InputTree, Paths, Platform, Project, Task, pattern_set};
use crate::plan::Inputs;

/// Files for which it pays to wake the other cores.
const MANY: usize = 512;

/// Looks things up for one plan. What was hashed before and has not changed is not read again.
pub(crate) struct Survey<'s> {
    pub(crate) project: &'s Project,
    pub(crate) state: &'s Mutex<State>,
    pub(crate) cancel: &'s Cancel,
    pub(crate) supply: &'s Supply,
    pub(crate) ours: Ours,
}

impl Survey<'_> {
    /// The answers to the project's inputs and to those of the tasks at `selection`, on a platform.
    pub(crate) fn take(&self, selection: &[usize], platform: &Platform) -> Result<Inputs> {
        let tasks = selection.iter().filter_map(|position| self.project.tasks().get(*position));
        let wanted: BTreeSet<Input> = tasks.flat_map(|task| task.all_inputs()).chain(self.project.inputs()).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let answers: Vec<String> = match wanted.len() {
            0 => Vec::new(),
            _ => {
                let answer = |input| self.answer(input).map_err(|error| self.blame(input, error));
                wanted.par_iter().map(answer).collect::<Result<_>>()?
            }
        };
        let mut inputs = Inputs::new(platform_text(platform));
        wanted.into_iter().zip(answers).for_each(|(input, answer)| inputs.insert(input, answer));
        Ok(inputs)
    }

    /// Checks that the files that count into a task's key are still what the key was made of. A build that has read
    /// something else must not be kept under that key.
    pub(crate) fn confirm(&self, task: &Task, inputs: &Inputs) -> Result<()> {
        let is_file = |input: &Input| matches!(input, Input::File(_) | Input::Tree { .. } | Input::Mention(_));
        for input in task.all_inputs().into_iter().chain(self.project.inputs()).filter(is_file) {
            if self.answer(&input).ok().as_deref() != inputs.get(&input) {
                self.cancel.check()?;
                return Err(Error::Step {
                    step: format!("`{input}`"),
                    problem: "changed while the task was being built: build it again".into(),
                });
            }
        }
        Ok(())
    }

    /// Whether every input still has the answer that it had.
    pub(crate) fn same(&self, inputs: &[(Input, String)]) -> bool {
        let is_same = |(input, known): &(Input, String)| self.answer(input).is_ok_and(|answer| answer == *known);
        let quick = |(input, _): &(Input, String)| matches!(input, Input::File(_));
        match inputs.len() < MANY && inputs.iter().all(quick) {
            true => inputs.iter().all(is_same),
            false => inputs.par_iter().all(is_same),
        }
    }

    /// An input that is not there is a mistake of whoever asks for it.
    fn blame(&self, input: &Input, error: Error) -> Error {
        let path = match &error {
            Error::Io { path, source, .. } if source.kind() == std::io::ErrorKind::NotFound => path,
            _ => return error,
        };
        let place = match self.project.tasks().iter().find(|task| task.all_inputs().contains(input)) {
            Some(task) => format!("task `{}`", task.name()),
            None => format!("project `{}`", self.project.name()),
        };
        Error::Invalid {
            place,
            problem: format!("`{}` does not exist", path.display()),
            hint: "files and directories of a recipe are relative to the recipe's directory".into(),
        }
    }

    fn answer(&self, input: &Input) -> Result<String> {
        self.cancel.check()?;
        match input {
            Input::File(path) => Ok(self.file(&self.path(path))?.to_string()),
            Input::Tree { path, excludes } => self.tree(&self.path(path), excludes),
            Input::Mention(path) => self.mention(&self.path(path)),
            Input::GitReference { url, reference } => self.commit(url, reference),
            Input::Probe(command) => self.probe(command),
        }
    }

    /// Where an input lies: its words replaced, below the recipe directory if it is relative.
    fn path(&self, path: &Path) -> PathBuf {
        let paths = Paths { recipe_dir: self.project.recipe_dir.clone(), ..Paths::default() };
        let recipe = paths.resolve(&self.project.recipe_dir, path);
        // A trailing slash or `.` would otherwise hide a file's own name.
        recipe.components().collect()
    }

    fn file(&self, path: &Path) -> Result<Digest> {
        let stat = fs::metadata(path).map(|found| Stat::of(&found)).map_err(Error::io("read", path))?;
        self.hash(path, &stat)
    }

    /// The digest of a file's bytes, from memory if the file has not changed since.
    fn hash(&self, path: &Path, stat: &Stat) -> Result<Digest> {
        let state = || self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state().hash(path, stat) {
            return Ok(known);
        }
        let digest = checksum::of_file(path, &[])?.sha256;
        state().remember_hash(path, stat, &digest)?;
        Ok(digest)
    }

    fn tree(&self, root: &Path, excludes: &[String]) -> Result<String> {
        let found = fs::metadata(root).map_err(Error::io("read", root))?;
        let mut tree = InputTree::new();
        if found.is_dir() {
            let excludes = pattern_set("exclude", excludes)?;
            let listing = Listing::of_filtered(root, &|path: &Path, _| {
                excludes.is_match(path) || self.is_ours(&root.join(path))
            })?;
            self.add(&mut tree, root, Path::new(""), &listing.entries)?;
        } else {
            let stat = Stat::of(&found);
            tree.file("", is_executable(&found), self.hash(root, &stat)?);
        }
        Ok(tree.digest().to_string())
    }

    /// Everything that begins with a path, by names relative to the path's parent; all of the recipe directory when
    /// the path is that.
    fn mention(&self, path: &Path) -> Result<String> {
        if path == self.project.recipe_dir {
            return self.tree(path, &[]);
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        let beginning = path.file_name().unwrap_or_default().as_bytes();
        let mut tree = InputTree::new();
        for name in names(parent)?.iter().filter(|name| name.as_bytes().starts_with(beginning)) {
            self.add_named(&mut tree, parent, Path::new(name))?;
        }
        Ok(tree.digest().to_string())
    }

    fn add_named(&self, tree: &mut InputTree, parent: &Path, name: &Path) -> Result<()> {
        let path = parent.join(name);
        if self.is_ours(&path) {
            return Ok(());
        }
        let found = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        if found.is_dir() {
            tree.directory(name);
            let listing = Listing::of_filtered(&path, &|below: &Path, _| self.is_ours(&path.join(below)))?;
            self.add(tree, parent, name, &listing.entries)
        } else if found.is_symlink() {
            tree.symlink(name, fs::read_link(&path).map_err(Error::io("read", &path))?);
            Ok(())
        } else if found.is_file() {
            tree.file(name, is_executable(&found), self.hash(&path, &Stat::of(&found))?);
            Ok(())
        } else {
            Err(special(&path))
        }
    }

    /// Adds what a listing of `root/below` found, by names relative to `root`.
    fn add(&self, tree: &mut InputTree, root: &Path, below: &Path, entries: &[Entry]) -> Result<()> {
        let digests: HashMap<&Path, Digest> = entries
            .par_iter()
            .filter(|entry| entry.kind == Kind::File)
            .map(|entry| Ok((&*entry.path, self.hash(&root.join(below).join(&entry.path), &entry.stat)?)))
            .collect::<Result<_>>()?;
        for entry in entries {
            let path = below.join(&entry.path);
            match &entry.kind {
                Kind::Directory => tree.directory(path),
                Kind::Symlink(target) => tree.symlink(path, target),
                Kind::File => {
                    let digest = digests.get(&*entry.path).copied();
                    tree.file(path, entry.mode & 0o100 != 0, digest.unwrap_or(Digest::of("")));
                }
                Kind::Special(_) => return Err(special(&root.join(path))),
            }
        }
        Ok(())
    }

    /// What the engine itself makes never counts.
    fn is_ours(&self, path: &Path) -> bool {
        self.ours.has(path)
    }

    fn commit(&self, url: &str, reference: &str) -> Result<String> {
        let git = Git {
            url,
            cache_dir: &self.supply.cache_dir,
            env: &self.supply.git_env,
            offline: self.supply.network.offline,
            cancelled: &|| self.cancel.is_cancelled(),
        };
        git.resolve(reference)
    }

    fn probe(&self, command: &str) -> Result<String> {
        let variables: Variables = [("PATH", Env::DEFAULT_PATH), ("LC_ALL", "C"), ("TZ", "UTC")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        let mut output = String::new();
        let process = Process::shell(command, &variables, &self.project.recipe_dir, self.cancel);
        process.run(&mut |line| {
            output.push_str(&String::from_utf8_lossy(line));
            output.push('\n');
        })?;
        Ok(output)
    }
}

/// The text that counts for the host: `linux x86_64 glibc 2.36`.
pub(crate) fn platform_text(platform: &Platform) -> String {
    platform.key_fields().map(|(_, value)| value).join(" ")
}

fn names(dir: &Path) -> Result<Vec<std::ffi::OsString>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", dir)(error)),
    };
    entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(Error::io("read", dir))).collect()
}

fn is_executable(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(found) & 0o100 != 0
}

fn special(path: &Path) -> Error {
    Error::Invalid {
        place: format!("`{}`", path.display()),
        problem: "is a socket, pipe or device, and cannot be an input".into(),
        hint: "exclude it, or move it elsewhere".into(),
    }
}
