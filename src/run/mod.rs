//! The run: carries out a plan.

pub(crate) mod install;
pub(crate) mod state;
