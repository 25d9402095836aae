//! The end of a task, as the board keeps it for the report.

use std::time::Duration;

use super::event::Outcome;
use crate::error::Error;

/// How one task ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) duration: Duration,
    pub(crate) error: Option<Error>,
}
