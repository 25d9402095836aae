//! Particulars: what a task may say and most tasks do not.
//!
//! They are kept apart, behind a box, because a project of ten thousand tasks is mostly tasks that say none of it:
//! each would otherwise be four times as large, and setters hand tasks on by value.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use super::env::Env;
use super::input::Input;
use super::license::License;
use super::source::Source;

/// What few tasks say. Each field is documented at the setter of that name.
#[derive(Debug, Clone)]
pub(crate) struct Particulars {
    pub(crate) source: Option<Source>,
    pub(crate) license: License,
    pub(crate) sequences: Vec<String>,
    pub(crate) env: Env,
    pub(crate) pass_env: Vec<String>,
    pub(crate) probes: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) cache: bool,
    pub(crate) relative_path: Option<PathBuf>,
    pub(crate) preserve_symlinks: bool,
    pub(crate) overrides: Vec<String>,
    pub(crate) time_limit: Option<Duration>,
}

/// The particulars of a task that has said none.
pub(super) static NONE: LazyLock<Particulars> = LazyLock::new(Particulars::default);

impl Default for Particulars {
    fn default() -> Self {
        Self {
            source: None,
            license: License::default(),
            sequences: Vec::new(),
            env: Env::new(),
            pass_env: Vec::new(),
            probes: Vec::new(),
            inputs: Vec::new(),
            cache: true,
            relative_path: None,
            preserve_symlinks: true,
            overrides: Vec::new(),
            time_limit: None,
        }
    }
}
