//! The run: a plan carried out. Workers take tasks from the schedule and lead each through its life: up to date, from a
//! tree, from the cache, or built; transfer slots bring what tasks need and carry away what they made.

mod action;
mod board;
mod build;
mod clean;
mod context;
mod course;
mod engine;
mod environment;
mod event;
mod executor;
mod histories;
mod history;
mod idle;
pub(crate) mod install;
pub(crate) mod licenses;
mod log;
mod neutral;
mod observers;
mod pipeline;
mod preview;
mod report;
mod rest;
mod secrets;
mod settings;
mod shared;
mod source;
mod standing;
pub(crate) mod state;
mod steps;
mod summary;
mod survey;
mod symlinks;
mod traffic;
mod transfers;
mod uploads;
mod work_dir;

pub use action::{Action, Decision};
pub use clean::{Clean, Cleaned};
pub use engine::Engine;
pub(crate) use event::tier_left;
pub use event::{Event, Outcome, Progress, SourceState, TaskRef};
pub use history::History;
pub use preview::Preview;
pub use report::{CacheReport, Report, TaskReport, TierReport};
pub use standing::{Origin, Standing};
