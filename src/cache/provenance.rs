//! Provenance: where an object comes from. It travels beside the object, never in it: the same tree built by someone
//! else is the same artifact.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who made an object, of what, and what that cost. Everything is optional: a store keeps what it is told and can keep.
///
/// ```
/// let provenance = cortado::Provenance::new().project("shop").writer("ci").host("runner-7");
/// assert_eq!(provenance.host.as_deref(), Some("runner-7"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Provenance {
    /// The project's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The task's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Who ran the build: a user, or the name of a CI job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
    /// The machine that built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The commit of the recipe, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How long the task took to build: the time that a hit saves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_time: Option<Duration>,
}

impl Provenance {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the [`project`](Provenance::project).
    pub fn project(self, project: impl Into<String>) -> Self {
        Self { project: Some(project.into()), ..self }
    }

    /// Sets the [`task`](Provenance::task).
    pub fn task(self, task: impl Into<String>) -> Self {
        Self { task: Some(task.into()), ..self }
    }

    /// Sets the [`writer`](Provenance::writer).
    pub fn writer(self, writer: impl Into<String>) -> Self {
        Self { writer: Some(writer.into()), ..self }
    }

    /// Sets the [`host`](Provenance::host).
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// Sets the [`commit`](Provenance::commit).
    pub fn commit(self, commit: impl Into<String>) -> Self {
        Self { commit: Some(commit.into()), ..self }
    }

    /// Sets the [`build_time`](Provenance::build_time).
    pub fn build_time(self, build_time: Duration) -> Self {
        Self { build_time: Some(build_time), ..self }
    }
}
