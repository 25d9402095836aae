//! Carries out a `template`: renders it with its variables into a file.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::host::busy;
use crate::host::fs;
use crate::model::command::Template;
use crate::run::context::Context;

/// How many instructions a template may take: far more than a configuration file needs, little enough to stop a loop.
const FUEL: u64 = 50_000_000;

pub(super) fn run(step: &Template, context: &Context<'_>) -> Result<()> {
    let text = super::patch::content(&step.content, context)?;
    let text = std::str::from_utf8(&text).map_err(|error| failed(step, error.to_string()))?;
    let rendered = render(text, step, context).map_err(|error| failed(step, describe(&error)))?;
    let dest = context.path(None, &step.dest);
    fs::create_dirs(fs::parent(&dest))?;
    let _nobody_starts = busy::writing();
    fs::write_atomic(&dest, rendered.as_bytes())?;
    std::fs::set_permissions(&dest, Permissions::from_mode(step.mode)).map_err(Error::io("set the mode of", &dest))
}

fn render(text: &str, step: &Template, context: &Context<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_fuel(Some(FUEL));
    let variables: Vec<_> = step.variables.iter().map(|(name, value)| (name, expanded(value, context))).collect();
    environment.render_str(text, minijinja::Value::from_pairs(variables))
}

/// A variable's value with the path words in its texts replaced.
fn expanded(value: &Value, context: &Context<'_>) -> minijinja::Value {
    minijinja::Value::from(minijinja::value::Serde(expand(value, context)))
}

fn expand(value: &Value, context: &Context<'_>) -> Value {
    match value {
        Value::String(text) => context.paths.expand(OsStr::new(text)).to_string_lossy().into(),
        Value::Array(values) => values.iter().map(|value| expand(value, context)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), expand(value, context))).collect(),
        other => other.clone(),
    }
}

/// The template engine's message with its line, but without the name that it made up for the template.
fn describe(error: &minijinja::Error) -> String {
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}

fn failed(step: &Template, reason: String) -> Error {
    Error::Template { template: step.content.title(), reason }
}
