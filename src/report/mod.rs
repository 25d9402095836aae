//! The report: what happened and what is planned, for people and for other programs.
//!
//! Everything here turns values into texts or into other values. Nothing is printed: whoever embeds the engine decides
//! where a text goes.

mod cache;
mod closing;
mod diagnosis;
mod difference;
mod exit;
mod explanation;
mod failure;
mod licenses;
mod manifest;
mod narrator;
mod outcome;
mod paint;
mod plan;
mod printable;
mod setting_list;
mod summary;
mod table;
mod task_list;

pub use cache::{CacheStats, FindingList, ListedObject, ObjectList, ObjectReport, Removal, RemovedObject, StoreStats};
pub use closing::Closing;
pub use diagnosis::{Check, Diagnosis, Verdict};
pub use difference::Change;
pub use exit::Exit;
pub use explanation::{Explanation, LastTime};
pub use failure::Failure;
pub use licenses::{LicenseReport, TaskLicense};
pub use manifest::{LockedSource, Manifest, Software};
pub use narrator::{Detail, Narrator};
pub use paint::{Ink, Paint};
pub use plan::{PlanReport, TaskPlan};
pub use setting_list::SettingList;
pub use summary::summary;
pub use task_list::{ListedTask, TaskList};

/// The version of every JSON document that reports give, except the manifest, which has a version of its own.
/// `docs/json.md` says what belongs to it.
pub const JSON_FORMAT: u32 = 1;
