//! The history of a task: what counted into its last build, kept so that the next one can say what changed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::model::Digest;
use crate::plan::{Outline, Plan, PlannedTask};

/// What counted when a task was last built or restored. Losing it costs an explanation, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The version of this record's format.
    pub format: u32,
    /// The task.
    pub task: String,
    /// Its tag then.
    pub tag: String,
    /// Its shasum then.
    pub shasum: Digest,
    /// When, in seconds since 1970.
    pub time: u64,
    /// Everything that counted.
    pub fields: Outline,
}

pub(super) const FORMAT: u32 = 1;

impl History {
    /// What counts now.
    pub(crate) fn of(plan: &Plan<'_>, task: &PlannedTask<'_>) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self {
            format: FORMAT,
            task: task.name().to_owned(),
            tag: task.tag().to_owned(),
            shasum: task.shasum(),
            time,
            fields: plan.outline(task),
        }
    }
}
