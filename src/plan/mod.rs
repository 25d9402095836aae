//! The plan: which tasks, in which order, under which keys. Computed from the model without any I/O.

mod fields;
mod graph;
mod inputs;
mod outline;
mod plan;
mod reader;
mod schedule;
mod shasum;

pub use graph::Graph;
pub use inputs::Inputs;
pub use outline::{Field, Outline};
pub use plan::{Plan, PlannedTask};
pub(crate) use schedule::Schedule;
pub use shasum::KEY_FORMAT;
