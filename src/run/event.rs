//! Events: what happens during a run, told as it happens. The one interface between the engine and everything that
//! shows, records or measures.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::cache::Miss;
use crate::text;

/// A task's name in events; cheap to clone.
pub type TaskRef = Arc<str>;

/// Something that happened. Observers are called one event at a time, in the order in which things happened.
///
/// As JSON each event is an object whose `event` member bears the case's name in snake case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run begins. First of all events.
    RunStarted {
        /// How many tasks are in the plan.
        tasks: usize,
        /// How many workers there are.
        jobs: usize,
    },
    /// Tasks became ready to start, because what they wait for is done.
    Unblocked {
        /// The tasks that became ready now.
        tasks: Vec<TaskRef>,
        /// How the run stands.
        progress: Progress,
    },
    /// A worker took the task up.
    TaskStarted {
        /// The task.
        task: TaskRef,
    },
    /// The task's artifact is asked for.
    Fetching {
        /// The task.
        task: TaskRef,
        /// The artifact's tag.
        tag: String,
    },
    /// The task's artifact is here, whole and verified. It is installed when the task's turn comes.
    Fetched {
        /// The task.
        task: TaskRef,
        /// The artifact's tag.
        tag: String,
        /// The tier that had it; `cache` where callbacks have no tiers.
        tier: Arc<str>,
        /// Its packed size in bytes.
        size: u64,
    },
    /// The artifact could not be restored; the task is built.
    Missed {
        /// The task.
        task: TaskRef,
        /// The artifact's tag.
        tag: String,
        /// Why.
        #[serde(flatten)]
        miss: Miss,
    },
    /// Someone else is building the same; the task waits to be spared.
    Waiting {
        /// The task.
        task: TaskRef,
        /// Who builds it.
        holder: String,
    },
    /// A tier of the cache failed, and is left alone until it is known to answer again. Told once in a run of each tier.
    TierLeft {
        /// The tier.
        tier: Arc<str>,
        /// How it failed.
        reason: String,
    },
    /// The task's source is being fetched.
    SourceProgress {
        /// The task.
        task: TaskRef,
        /// Where from, without credentials.
        from: String,
        /// What is happening.
        #[serde(flatten)]
        state: SourceState,
    },
    /// A step begins.
    StepStarted {
        /// The task.
        task: TaskRef,
        /// The step's number, from 1.
        step: usize,
        /// How many steps the task has.
        steps: usize,
        /// The step in one line.
        title: String,
    },
    /// A line of a step's output, without its newline. Bytes that are not UTF-8 are replaced.
    Output {
        /// The task.
        task: TaskRef,
        /// The line.
        line: String,
        /// Whether the step meant it as an error.
        error: bool,
    },
    /// Something is not as it should be, but the run goes on.
    Warning {
        /// The task, where it concerns one.
        task: Option<TaskRef>,
        /// What.
        text: String,
    },
    /// The task's artifact is being offered to the cache.
    Storing {
        /// The task.
        task: TaskRef,
        /// The artifact's tag.
        tag: String,
        /// Its packed size in bytes.
        size: u64,
    },
    /// The task's artifact was offered to the cache. Unless the policy is that it has to be kept, its task may have ended
    /// long ago.
    Stored {
        /// The task.
        task: TaskRef,
        /// The artifact's tag.
        tag: String,
        /// Its packed size in bytes.
        size: u64,
        /// Whether it was kept; an error text where that failed.
        #[serde(flatten, serialize_with = "kept")]
        result: Result<bool, String>,
    },
    /// The task has ended: there is exactly one for each task of the plan. What the cache makes of its artifact may be
    /// told later.
    TaskFinished {
        /// The task.
        task: TaskRef,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
        /// How long it took.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        duration: Duration,
    },
    /// All tasks have ended, and the run waits for artifacts to be kept. Told again whenever there is less to wait for.
    Draining {
        /// How many are left.
        artifacts: usize,
        /// Their packed size in bytes.
        bytes: u64,
    },
    /// The run ended. Last of all events.
    RunFinished {
        /// Whether every task ended well.
        success: bool,
        /// How long it took.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        duration: Duration,
    },
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It is installed already, and intact.
    UpToDate,
    /// It was installed from a tree that was still on this machine.
    Installed,
    /// It was restored from the cache.
    Restored,
    /// It was built.
    Built,
    /// It failed.
    Failed {
        /// Why, with the causes.
        error: String,
        /// The full log of its run.
        log: Option<PathBuf>,
    },
    /// It was stopped while it was running.
    Cancelled,
    /// It was never started.
    Skipped {
        /// The upstream that kept it from starting; `None` when the run was cancelled.
        blocked_by: Option<TaskRef>,
    },
}

impl Outcome {
    /// Whether the task is installed now.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::UpToDate | Self::Installed | Self::Restored | Self::Built)
    }
}

/// How a source is being fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceState {
    /// It is in the source cache.
    Cached,
    /// A local file has the wanted content.
    Local {
        /// That file.
        path: PathBuf,
    },
    /// The transfer begins.
    Started,
    /// So much has arrived.
    Received {
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// An attempt failed; there will be another.
    Retrying {
        /// The attempt that failed, from 1.
        attempt: usize,
        /// Why it failed.
        reason: String,
    },
    /// It is complete and unpacked.
    Ready,
}

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Tasks that wait for others, for the cache or for their source.
    pub blocked: usize,
    /// Tasks that wait for a worker or a sequence.
    pub ready: usize,
    /// Tasks that a worker has.
    pub running: usize,
    /// Tasks that have ended, in whatever way.
    pub finished: usize,
}

/// `kept`, and `error` where keeping it failed.
fn kept<S: serde::Serializer>(result: &Result<bool, String>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut members = serializer.serialize_map(None)?;
    members.serialize_entry("kept", &result.as_ref().is_ok_and(|kept| *kept))?;
    if let Err(error) = result {
        members.serialize_entry("error", error)?;
    }
    members.end()
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// Why a tier is not asked any more, in a sentence.
pub(crate) fn tier_left(tier: &str, reason: &str) -> String {
    format!("the cache `{tier}` is left alone from here on: {reason}")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::UpToDate => f.write_str("up to date"),
            Outcome::Installed => f.write_str("installed"),
            Outcome::Restored => f.write_str("restored"),
            Outcome::Built => f.write_str("built"),
            Outcome::Failed { error, .. } => write!(f, "failed: {error}"),
            Outcome::Cancelled => f.write_str("cancelled"),
            Outcome::Skipped { blocked_by: Some(task) } => write!(f, "skipped, because `{task}` did not succeed"),
            Outcome::Skipped { blocked_by: None } => f.write_str("skipped, because the run was cancelled"),
        }
    }
}

impl fmt::Display for Event {
    /// The event in one line, as a log would show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::RunStarted { tasks, jobs } => {
                write!(f, "{} on {}", text::count(*tasks, "task"), text::count(*jobs, "worker"))
            }
            Event::Unblocked { tasks, .. } => write!(f, "ready: {}", tasks.join(", ")),
            Event::TaskStarted { task } => write!(f, "{task}> started"),
            Event::Fetching { task, tag } => write!(f, "{task}> looking for {tag}"),
            Event::Fetched { task, tier, size, .. } => write!(f, "{task}> found in `{tier}`, {}", text::bytes(*size)),
            Event::Waiting { task, holder } => write!(f, "{task}> waiting for {holder}, who builds the same"),
            Event::TierLeft { tier, reason } => write!(f, "warning: {}", tier_left(tier, reason)),
            Event::Missed { task, miss, .. } => write!(f, "{task}> {miss}"),
            Event::SourceProgress { task, from, state } => write!(f, "{task}> source {from}: {state}"),
            Event::StepStarted { task, step, steps, title } => write!(f, "{task}> [{step}/{steps}] {title}"),
            Event::Output { task, line, .. } => write!(f, "{task}> {line}"),
            Event::Warning { task: Some(task), text } => write!(f, "{task}> warning: {text}"),
            Event::Warning { task: None, text } => write!(f, "warning: {text}"),
            Event::Storing { task, size, .. } => write!(f, "{task}> caching {}", text::bytes(*size)),
            Event::Stored { task, size, result: Ok(true), .. } => write!(f, "{task}> cached, {}", text::bytes(*size)),
            Event::Stored { task, result: Ok(false), .. } => write!(f, "{task}> not cached"),
            Event::Stored { task, result: Err(reason), .. } => write!(f, "{task}> could not be cached: {reason}"),
            Event::TaskFinished { task, outcome, duration } => {
                write!(f, "{task}> {outcome} ({})", text::duration(*duration))
            }
            Event::Draining { artifacts, bytes } => {
                write!(f, "keeping {} ({})", text::count(*artifacts, "artifact"), text::bytes(*bytes))
            }
            Event::RunFinished { success, duration } => {
                let end = if *success { "finished" } else { "failed" };
                write!(f, "{end} after {}", text::duration(*duration))
            }
        }
    }
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceState::Cached => f.write_str("in the source cache"),
            SourceState::Local { path } => write!(f, "using {}", path.display()),
            SourceState::Started => f.write_str("fetching"),
            SourceState::Received { bytes, total: Some(total) } => {
                write!(f, "{} of {}", text::bytes(*bytes), text::bytes(*total))
            }
            SourceState::Received { bytes, total: None } => f.write_str(&text::bytes(*bytes)),
            SourceState::Retrying { attempt, reason } => write!(f, "attempt {attempt} failed, trying again: {reason}"),
            SourceState::Ready => f.write_str("ready"),
        }
    }
}
