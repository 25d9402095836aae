//! Carries out a `block`: calls the user's code and makes its errors and panics values.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cache::guard::{Trouble, caught};
use crate::error::{Error, Result};
use crate::host::{busy, fs};
use crate::model::command::Block;
use crate::model::{Command, Hands, Scope};
use crate::run::context::Context;

pub(super) fn run(step: &Block, context: &Context<'_>) -> Result<()> {
    let scope = Scope::new(&context.task, &context.paths, context);
    caught(|| (step.run)(&scope)).map_err(|trouble| match trouble {
        _ if context.cancel.is_cancelled() => Error::Interrupted,
        Trouble::Failed(problem) => {
            Error::Step { step: format!("block {}", step.name.as_deref().unwrap_or("(unnamed)")), problem }
        }
        Trouble::TimedOut(_) | Trouble::Cancelled => Error::Interrupted,
    })
}

impl Hands for Context<'_> {
    fn run(&self, command: &Command) -> Result<()> {
        super::run(command, self)
    }

    fn write(&self, path: &Path, content: &[u8], mode: Option<u32>) -> Result<()> {
        fs::create_dirs(fs::parent(path))?;
        let _nobody_starts = busy::writing();
        std::fs::write(path, content).map_err(Error::io("write", path))?;
        match mode {
            Some(mode) => std::fs::set_permissions(path, Permissions::from_mode(mode))
                .map_err(Error::io("change the mode of", path)),
            None => Ok(()),
        }
    }
}
