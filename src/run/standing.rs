//! A standing: how a product stood when a run left nothing to do, and everything by which that was judged. As long as
//! nothing of it has changed the next run needs neither the recipe nor the project.
//!
//! It is only ever a short cut: it holds what a plan was made from, not what to do, and whoever doubts it makes the
//! project and its plan anew. `docs/design/state.md` describes the file.

use std::fs;
use std::path::{Path, PathBuf};

use super::work_dir::WorkDir;
use crate::cache::codec::{Reader, Writer, frame};
use crate::error::Result;
use crate::host::fs::{create_dirs, parent, write_atomic};
use crate::model::{Digest, Input, Project};
use crate::plan::{Plan, tag};

const HEADER: &[u8] = b"cortado standing 1\n";

/// Where a project comes from that a caller makes out of files of its own, such as a recipe: what has to be the same for
/// the project to be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Of what tells this origin from others that share the work directory: where it is, say.
    pub name: Digest,
    /// Of everything that the project depends on besides files: the program, its options, the machine.
    pub key: Digest,
    /// The files that the project was made from, absolute, each with the digest of the bytes that were read.
    pub files: Vec<(PathBuf, Digest)>,
    /// What the caller wants back: messages to be told again, say.
    pub notes: Vec<String>,
}

impl Origin {
    /// An origin without files and notes.
    pub fn new(name: Digest, key: Digest) -> Self {
        Self { name, key, files: Vec::new(), notes: Vec::new() }
    }
}

/// How a product stood when a run left nothing to do. Hand it to [`Engine::rest`](crate::Engine::rest).
#[derive(Debug, Clone)]
pub struct Standing {
    /// Name and directories; no tasks.
    pub(super) project: Project,
    pub(super) notes: Vec<String>,
    /// The digest of the licence summary.
    pub(super) summary: Digest,
    /// What counted, and what it was.
    pub(super) inputs: Vec<(Input, String)>,
    /// All tasks, upstreams first.
    pub(super) tasks: Vec<Stood>,
}

/// A task as it was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stood {
    pub(super) name: String,
    pub(super) tag: String,
    pub(super) shasum: Digest,
    pub(super) overrides: Vec<String>,
}

impl Standing {
    /// What was kept of the origin of that name and key in a work directory; `None` if there is nothing, or something
    /// else. Any doubt is nothing.
    pub fn read(work_dir: &Path, name: &Digest, key: &Digest) -> Option<Standing> {
        let bytes = fs::read(WorkDir::look(work_dir).standing(name)).ok()?;
        let mut frames = Reader::new(bytes.strip_prefix(HEADER)?);
        let mut reader = Reader::new(frames.frame()?);
        let same = reader.digest()? == *key && frames.rest().is_empty();
        same.then(|| decode(&mut reader)).flatten().filter(|_| reader.rest().is_empty())
    }

    /// A project with the same name and directories, and without tasks, for the engine that this is handed to.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The [notes](Origin::notes) of the origin.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Keeps how a product stands. Nothing is kept of a plan that depends on a branch of a repository: looking that up again
/// takes longer than all the rest.
///
/// What was kept before stays true where nothing is kept: the same origin and inputs still mean the same tags.
pub(super) fn keep(origin: &Origin, plan: &Plan<'_>, summary: Digest) -> Result<()> {
    let Some(frame) = encode(origin, plan, summary).and_then(|content| frame(&content)) else { return Ok(()) };
    let path = WorkDir::look(plan.project().work_dir()).standing(&origin.name);
    create_dirs(parent(&path))?;
    write_atomic(&path, &[HEADER, &frame].concat())
}

fn encode(origin: &Origin, plan: &Plan<'_>, summary: Digest) -> Option<Vec<u8>> {
    let project = plan.project();
    let mut writer = Writer::default();
    writer.digest(&origin.key).number(origin.notes.len() as u64);
    origin.notes.iter().for_each(|note| _ = writer.blob(note.as_bytes()));
    writer.blob(project.name.as_bytes()).blob(project.tag_prefix().as_bytes());
    writer.path(&project.install_dir).path(&project.work_dir).path(&project.recipe_dir);
    writer.path(&project.license_summary()).digest(&summary);
    let read = origin.files.iter().map(|(path, digest)| (Input::File(path.clone()), digest.to_string()));
    let asked = plan.inputs().iter().map(|(input, answer)| (input.clone(), answer.to_owned()));
    let mut inputs: Vec<_> = read.chain(asked).collect();
    inputs.sort_unstable();
    writer.number(inputs.len() as u64);
    inputs.iter().try_for_each(|(input, answer)| encode_input(&mut writer, input, answer))?;
    writer.number(plan.tasks().len() as u64);
    for task in plan.tasks() {
        let overrides = &task.task().particulars().overrides;
        writer.blob(task.name().as_bytes()).digest(&task.shasum()).number(overrides.len() as u64);
        overrides.iter().for_each(|name| _ = writer.blob(name.as_bytes()));
    }
    Some(writer.bytes)
}

fn decode(reader: &mut Reader<'_>) -> Option<Standing> {
    let notes = reader.list(text)?;
    let (name, prefix) = (text(reader)?, text(reader)?);
    let project = Project::new(name).cache_tag_prefix(&prefix);
    let project = project.install_dir(reader.path()?).work_dir(reader.path()?).recipe_dir(reader.path()?);
    let project = project.license_file_path(reader.path()?).build().ok()?;
    Some(Standing {
        project,
        notes,
        summary: reader.digest()?,
        inputs: reader.list(|reader| Some((decode_input(reader)?, text(reader)?)))?,
        tasks: reader.list(|reader| decode_task(&prefix, reader))?,
    })
}

fn decode_task(prefix: &str, reader: &mut Reader<'_>) -> Option<Stood> {
    let (name, shasum) = (text(reader)?, reader.digest()?);
    Some(Stood { tag: tag(prefix, &name, &shasum), name, shasum, overrides: reader.list(text)? })
}

fn encode_input(writer: &mut Writer, input: &Input, answer: &str) -> Option<()> {
    match input {
        Input::File(path) => writer.number(b'f'.into()).path(path),
        Input::Tree { path, excludes } => {
            writer.number(b't'.into()).path(path).number(excludes.len() as u64);
            excludes.iter().fold(writer, |writer, exclude| writer.blob(exclude.as_bytes()))
        }
        Input::Mention(path) => writer.number(b'm'.into()).path(path),
        Input::Probe(command) => writer.number(b'p'.into()).blob(command.as_bytes()),
        Input::GitReference { .. } => return None,
    }
    .blob(answer.as_bytes());
    Some(())
}

fn decode_input(reader: &mut Reader<'_>) -> Option<Input> {
    match u8::try_from(reader.number()?).ok()? {
        b'f' => Some(Input::File(reader.path()?)),
        b't' => Some(Input::Tree { path: reader.path()?, excludes: reader.list(text)? }),
        b'm' => Some(Input::Mention(reader.path()?)),
        b'p' => Some(Input::Probe(text(reader)?)),
        _ => None,
    }
}

fn text(reader: &mut Reader<'_>) -> Option<String> {
    reader.text().map(str::to_owned)
}

#[cfg(test)]
mod tests;
