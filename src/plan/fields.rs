//! What counts into a key: the one list, told to a [`Reader`] in fixed order.
//!
//! Never told: the order of declarations, worker counts, the paths of the work directory and the checkout, whitespace
//! of the recipe, limits and progress settings. `docs/key.md` is this file in prose.

mod command;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::inputs::Answers;
use super::reader::Reader;
use crate::model::{Digest, Env, Input, License, PlatformKey, Project, Task};

/// What counts for all tasks of a project.
pub(super) fn project(reader: &mut impl Reader, project: &Project, answers: &Answers<'_>) {
    reader.open("project", 6);
    reader.bytes("install_dir", project.install_dir.as_os_str().as_encoded_bytes());
    let platform = match &project.platform {
        PlatformKey::Host => Some(answers.platform()),
        PlatformKey::Is(text) => Some(text.as_str()),
        PlatformKey::Any => None,
    };
    reader.optional("platform", platform.map(str::as_bytes));
    reader.text("salt", &project.salt);
    reader.number("source_date_epoch", project.source_date_epoch);
    env(reader, &project.env);
    asked(reader, "inputs", project.inputs(), answers);
    reader.close();
}

/// What counts for one task. `upstreams` are the names and shasums of its direct upstreams, sorted by name.
pub(super) fn task<'u>(
    reader: &mut impl Reader,
    task: &Task,
    answers: &Answers<'_>,
    project: Digest,
    upstreams: impl ExactSizeIterator<Item = (&'u str, Digest)>,
) {
    reader.open("task", 12);
    reader.text("name", &task.name);
    reader.flag("virtual", task.is_virtual);
    let version = task.version.as_deref().filter(|_| !task.is_virtual);
    reader.optional("version", version.map(str::as_bytes));
    source::tell(reader, task.particulars().source.as_ref(), answers);
    license(reader, &task.particulars().license);
    reader.open("build", task.commands.len());
    task.commands.iter().for_each(|command| command::tell(reader, command, answers));
    reader.close();
    env(reader, &task.particulars().env);
    options(reader, task);
    asked(reader, "probes", task.particulars().probes.iter().cloned().map(Input::Probe), answers);
    asked(reader, "inputs", task.files(), answers);
    reader.open("upstreams", upstreams.len());
    upstreams.for_each(|(name, shasum)| reader.digest(name, shasum));
    reader.close();
    reader.digest("project", project);
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
    let variables = env.iter();
    reader.open("env", variables.len());
    for (name, value) in variables {
        if value.secret {
            reader.open(name, 1);
            reader.digest("secret", Digest::of(format!("cortado secret\0{name}\0{}", value.text)));
            reader.close();
        } else {
            reader.text(name, &value.text);
        }
    }
    reader.close();
}

fn options(reader: &mut impl Reader, task: &Task) {
    reader.open("options", 2);
    reader.flag("preserve_symlinks", task.particulars().preserve_symlinks);
    let path = task.particulars().relative_path.as_deref();
    reader.optional("relative_path", path.map(|path| path.as_os_str().as_encoded_bytes()));
    reader.close();
}

/// Inputs and their answers, each pair once, sorted: the order in which a recipe names them does not count.
fn asked(reader: &mut impl Reader, group: &str, inputs: impl IntoIterator<Item = Input>, answers: &Answers<'_>) {
    let mut inputs = inputs.into_iter().peekable();
    if inputs.peek().is_none() {
        reader.open(group, 0);
        return reader.close();
    }
    let pairs: BTreeSet<_> = inputs.map(|input| (input.to_string(), answers.get(&input))).collect();
    reader.open(group, pairs.len());
    pairs.iter().for_each(|(label, answer)| reader.text(label, answer));
    reader.close();
}
