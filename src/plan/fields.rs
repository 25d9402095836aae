//! What counts into a key: the one list, told to a [`Reader`] in fixed order.
//!
//! Never told: the order of declarations, worker counts, the paths of the work directory and the checkout, whitespace
//! of the recipe, limits and progress settings. `docs/key.md` is this file in prose.

mod command;
mod source;

use super::inputs::Inputs;
use super::reader::Reader;
use crate::model::{Digest, Env, Input, License, PlatformKey, Project, Task};

/// What counts for all tasks of a project.
pub(super) fn project(reader: &mut impl Reader, project: &Project, inputs: &Inputs) {
    reader.open("project", 5);
    reader.bytes("install_dir", project.install_dir.as_os_str().as_encoded_bytes());
    match &project.platform {
        PlatformKey::Host => reader.text("platform", inputs.platform()),
        PlatformKey::Is(text) => reader.text("platform", text),
        PlatformKey::Any => reader.text("platform", ""),
    }
    reader.text("salt", &project.salt);
    reader.number("source_date_epoch", project.source_date_epoch);
    env(reader, &project.env);
    reader.close();
}

/// What counts for one task. `upstreams` are the names and shasums of its direct upstreams, sorted by name.
pub(super) fn task<'u>(
    reader: &mut impl Reader,
    task: &Task,
    inputs: &Inputs,
    project: Digest,
    upstreams: impl ExactSizeIterator<Item = (&'u str, Digest)>,
) {
    reader.open("task", 12);
    reader.text("name", &task.name);
    reader.flag("virtual", task.is_virtual);
    let version = task.version.as_deref().filter(|_| !task.is_virtual);
    reader.optional("version", version.map(str::as_bytes));
    source::tell(reader, task.source.as_ref(), inputs);
    license(reader, &task.license);
    reader.open("build", task.commands.len());
    task.commands.iter().for_each(|command| command::tell(reader, command, inputs));
    reader.close();
    env(reader, &task.env);
    options(reader, task);
    answers(reader, "probes", task.probes.iter().map(|probe| (probe.clone(), Input::Probe(probe.clone()))), inputs);
    files(reader, task, inputs);
    reader.open("upstreams", upstreams.len());
    upstreams.for_each(|(name, shasum)| reader.text(name, &shasum.to_string()));
    reader.close();
    reader.text("project", &project.to_string());
    reader.close();
}

fn license(reader: &mut impl Reader, license: &License) {
    reader.open("license", 2);
    reader.text("id", &license.id);
    reader.list("files", license.files.iter().map(|file| file.as_os_str().as_encoded_bytes()));
    reader.close();
}

/// Declared variables in the order of their names; of secrets only a digest is ever told.
fn env(reader: &mut impl Reader, env: &Env) {
    reader.open("env", env.iter().len());
    for (name, value) in env.iter() {
        if value.secret {
            reader.open(name, 1);
            reader.text("secret", &secret(name, &value.text));
            reader.close();
        } else {
            reader.text(name, &value.text);
        }
    }
    reader.close();
}

fn secret(name: &str, value: &str) -> String {
    Digest::of(format!("cortado secret\0{name}\0{value}")).to_string()
}

fn options(reader: &mut impl Reader, task: &Task) {
    reader.open("options", 2);
    reader.flag("preserve_symlinks", task.preserve_symlinks);
    let path = task.relative_path.as_deref();
    reader.optional("relative_path", path.map(|path| path.as_os_str().as_encoded_bytes()));
    reader.close();
}

/// Files and directories that the task declares or that its texts name below the recipe directory.
fn files(reader: &mut impl Reader, task: &Task, inputs: &Inputs) {
    let declared = task.inputs.iter().cloned().map(|input| (label(&input), input));
    let mentioned = task.mentions().into_iter().map(|path| (format!("@{{recipe_dir}}/{}", path.display()), path));
    let mentioned = mentioned.map(|(label, path)| (label, Input::Mention(path)));
    let mut all: Vec<_> = declared.chain(mentioned).collect();
    all.sort();
    all.dedup();
    answers(reader, "inputs", all.into_iter(), inputs);
}

fn label(input: &Input) -> String {
    match input {
        Input::File(path) | Input::Tree { path, .. } | Input::Mention(path) => path.display().to_string(),
        Input::GitReference { url, reference } => format!("{url} {reference}"),
        Input::Probe(command) => command.clone(),
    }
}

fn answers(
    reader: &mut impl Reader,
    group: &str,
    asked: impl ExactSizeIterator<Item = (String, Input)>,
    inputs: &Inputs,
) {
    reader.open(group, asked.len());
    asked.for_each(|(label, input)| reader.text(&label, inputs.get(&input).unwrap_or_default()));
    reader.close();
}
