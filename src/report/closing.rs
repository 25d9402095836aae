//! The closing line of a run that was told as JSON: the report, as one more object after the events.

use serde::{Serialize, Serializer};
use serde_json::{Value, to_value};

use super::JSON_FORMAT;
use super::exit::Exit;
use crate::run::Report;

/// The report of a run as the last of its events.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Closing<'r> {
    /// `report`.
    pub event: &'static str,
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// Whether every task ended well.
    pub success: bool,
    /// The code that the program ends with.
    pub exit: u8,
    /// The report itself, whose members stand beside these.
    #[serde(flatten, serialize_with = "members")]
    pub report: &'r Report,
}

impl<'r> Closing<'r> {
    /// The closing line of a report.
    pub fn of(report: &'r Report) -> Self {
        let exit = Exit::of_report(report).code();
        Self { event: "report", format: JSON_FORMAT, success: report.success(), exit, report }
    }
}

/// The members of a report, each once: a failed task's outcome and the task itself both name the log.
fn members<S: Serializer>(report: &&Report, serializer: S) -> Result<S::Ok, S::Error> {
    match to_value(report).map_err(serde::ser::Error::custom)? {
        Value::Object(members) => members.serialize(serializer),
        other => other.serialize(serializer),
    }
}
