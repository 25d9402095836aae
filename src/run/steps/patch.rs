//! Carries out a `patch`: applies a unified diff to the source, all of it or nothing.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::host::patch::apply;
use crate::model::command::{Content, Patch};
use crate::run::context::Context;

pub(super) fn run(step: &Patch, context: &Context<'_>) -> Result<()> {
    let patch = content(&step.content, context)?;
    let dir = context.dir(step.dir.as_deref());
    for file in apply(&patch, &step.content.title(), &dir, step.strip)? {
        context.output(format!("patched {}", file.path.display()).as_bytes(), false)?;
    }
    Ok(())
}

/// The bytes of a text that the recipe holds itself or in a file.
pub(super) fn content<'c>(content: &'c Content, context: &Context<'_>) -> Result<Cow<'c, [u8]>> {
    match content {
        Content::Inline(bytes) => Ok(Cow::Borrowed(bytes)),
        Content::File(path) => {
            let path = context.recipe_file(path);
            std::fs::read(&path).map(Cow::Owned).map_err(Error::io("read", &path))
        }
    }
}
