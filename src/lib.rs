//! cortado: an embeddable build DSL and artifact-caching engine.
#![allow(dead_code, unused_imports)] // while the spine is being laid

mod cache;
#[cfg(feature = "cli")]
pub mod cli;
mod error;
mod host;
#[cfg(feature = "lua")]
pub mod lua;
mod model;
mod plan;
mod report;
mod run;
mod text;

pub use cache::{
    Artifact, CacheMode, CachePolicy, Cacher, Callbacks, Closures, DirectoryStore, Listed, Miss, Put, Store, Stored,
    closures,
};
pub use error::{Error, Result};
pub use host::cancel::Cancel;
pub use host::lock::Wait;
#[cfg(feature = "lua")]
pub use lua::{Recipe, RecipeOptions};
pub use model::command::{self, Block, Command};
pub use model::{
    Algorithm, Archive, Checksum, Cpu, Digest, Distribution, Env, Format, Git, Input, InputTree, Kernel, Libc, License,
    LinkMode, Local, Metadata, NotAChecksum, NotADigest, NotAFormat, Paths, Platform, PlatformKey, Project,
    ProjectBuilder, Scope, Source, Task,
};
pub use plan::{Field, Graph, Inputs, KEY_FORMAT, Outline, Plan, PlannedTask};
pub use report::{
    Change, Closing, Detail, Exit, Explanation, Failure, Ink, JSON_FORMAT, LastTime, LicenseReport, ListedTask,
    Listing, LockedSource, Manifest, Narrator, Paint, PlanReport, Software, TaskLicense, TaskPlan, summary,
};
pub use run::{
    Action, CacheReport, Clean, Cleaned, Decision, Engine, Event, History, Outcome, Preview, Progress, Report,
    SourceState, TaskRef, TaskReport,
};
