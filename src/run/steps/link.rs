//! Carries out a `link`: a symbolic link, in place of what was there.

use std::path::Path;

use crate::error::Result;
use crate::host::copy::link;
use crate::model::command::Link;
use crate::run::context::Context;

pub(super) fn run(step: &Link, context: &Context<'_>) -> Result<()> {
    let target = context.paths.expand(step.target.as_os_str());
    let path = context.path(step.dir.as_deref(), &step.path);
    link(Path::new(&target), &path, true)
}
