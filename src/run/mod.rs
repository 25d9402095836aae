//! The run: a plan carried out. Workers take tasks from the schedule and lead each through its life: up to date, from a
//! tree, from the cache, or built.

mod context;
mod environment;
mod event;
pub(crate) mod install;
mod log;
mod observers;
pub(crate) mod state;
mod steps;
mod work_dir;

pub use event::{Event, Outcome, Progress, SourceState, TaskRef};
