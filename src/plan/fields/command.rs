//! What counts of a step: its kind, every argument, and the content of the files it reads from the recipe.

use std::path::Path;

use serde_json::{Number, Value};

use super::{Reader, env};
use crate::model::command::{Bin, Content, Copy, Mkdir, Patch, Shell, Sync, Template};
use crate::model::{Command, Digest, Input};
use crate::plan::inputs::Answers;

pub(super) fn tell(reader: &mut impl Reader, command: &Command, answers: &Answers<'_>) {
    match command {
        Command::Shell(step) => shell(reader, step),
        Command::Bin(step) => bin(reader, step),
        Command::Copy(step) => copy(reader, step),
        Command::Sync(step) => sync(reader, step),
        Command::Link(step) => {
            reader.open_item("link", 3);
            path(reader, "target", &step.target);
            path(reader, "path", &step.path);
            dir(reader, step.dir.as_deref());
        }
        Command::Mkdir(step) => mkdir(reader, step),
        Command::Patch(step) => patch(reader, step, answers),
        Command::Template(step) => template(reader, step, answers),
        Command::Block(step) => {
            reader.open_item("block", 1);
            reader.text("text", &step.text);
        }
        Command::Emit(step) => {
            reader.open_item("emit", 2);
            reader.text("text", &step.text);
            reader.flag("error", step.error);
        }
    }
    reader.close();
}

fn shell(reader: &mut impl Reader, step: &Shell) {
    reader.open_item("command", 3);
    reader.text("line", &step.line);
    env(reader, &step.env);
    dir(reader, step.dir.as_deref());
}

fn bin(reader: &mut impl Reader, step: &Bin) {
    reader.open_item("bin", 4);
    reader.text("program", &step.program);
    reader.list("args", step.args.iter());
    env(reader, &step.env);
    dir(reader, step.dir.as_deref());
}

fn copy(reader: &mut impl Reader, step: &Copy) {
    reader.open_item("copy", 3);
    path(reader, "source", &step.source);
    path(reader, "dest", &step.dest);
    dir(reader, step.dir.as_deref());
}

fn sync(reader: &mut impl Reader, step: &Sync) {
    reader.open_item("sync", 5);
    path(reader, "source", &step.source);
    path(reader, "dest", &step.dest);
    reader.list("excludes", step.excludes.iter());
    reader.optional("decide", step.decide.as_ref().map(|decide| decide.text.as_bytes()));
    dir(reader, step.dir.as_deref());
}

fn mkdir(reader: &mut impl Reader, step: &Mkdir) {
    reader.open_item("mkdir", 3);
    path(reader, "path", &step.path);
    reader.flag("parents", step.parents);
    reader.open("mode", usize::from(step.mode.is_some()));
    step.mode.into_iter().for_each(|mode| reader.mode("is", mode));
    reader.close();
}

fn patch(reader: &mut impl Reader, step: &Patch, answers: &Answers<'_>) {
    reader.open_item("patch", 3);
    content(reader, &step.content, answers);
    reader.number("strip", step.strip as u64);
    dir(reader, step.dir.as_deref());
}

fn template(reader: &mut impl Reader, step: &Template, answers: &Answers<'_>) {
    reader.open_item("template", 4);
    content(reader, &step.content, answers);
    path(reader, "dest", &step.dest);
    reader.mode("mode", step.mode);
    reader.open("variables", step.variables.len());
    step.variables.iter().for_each(|(name, value)| json(reader, name, value));
    reader.close();
}

/// The same field whether the bytes stand in the recipe or in a file: moving them does not change the key.
fn content(reader: &mut impl Reader, content: &Content, answers: &Answers<'_>) {
    match content {
        Content::Inline(bytes) => reader.digest("content", Digest::of(bytes)),
        Content::File(path) => reader.text("content", answers.get(&Input::File(path.clone()))),
    }
}

/// A JSON value. Maps are sorted here, whatever order `serde_json` was compiled to keep.
fn json(reader: &mut impl Reader, label: &str, value: &Value) {
    reader.open(label, 1);
    match value {
        Value::Null => reader.text("null", ""),
        Value::Bool(value) => reader.flag("boolean", *value),
        Value::Number(value) => number(reader, value),
        Value::String(text) => reader.text("text", text),
        Value::Array(values) => {
            reader.open("list", values.len());
            values.iter().for_each(|value| json(reader, "", value));
            reader.close();
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(name, _)| name.as_str());
            reader.open("map", pairs.len());
            pairs.into_iter().for_each(|(name, value)| json(reader, name, value));
            reader.close();
        }
    }
    reader.close();
}

/// Integers in decimal; other numbers by the fewest digits that give the same double, as `1.5e0`.
fn number(reader: &mut impl Reader, value: &Number) {
    match (value.as_u64(), value.as_i64(), value.as_f64()) {
        (Some(integer), _, _) => reader.text("integer", &integer.to_string()),
        (_, Some(integer), _) => reader.text("integer", &integer.to_string()),
        (_, _, Some(double)) => reader.text("double", &format!("{double:e}")),
        (None, None, None) => reader.text("number", &value.to_string()),
    }
}

fn path(reader: &mut impl Reader, label: &str, path: &Path) {
    reader.bytes(label, path.as_os_str().as_encoded_bytes());
}

fn dir(reader: &mut impl Reader, dir: Option<&Path>) {
    reader.optional("dir", dir.map(|dir| dir.as_os_str().as_encoded_bytes()));
}
