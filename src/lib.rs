//! cortado: an embeddable build DSL and artifact-caching engine.
#![allow(dead_code, unused_imports)] // while the spine is being laid

mod cache;
mod error;
mod host;
#[cfg(feature = "lua")]
pub mod lua;
mod model;
mod plan;
mod report;
mod run;
mod text;

pub use error::{Error, Result};
pub use model::command::{self, Block, Command};
pub use model::{
    Algorithm, Archive, Checksum, Digest, Env, Format, Git, Input, License, LinkMode, Local, Metadata, NotAChecksum,
    NotADigest, NotAFormat, Paths, PlatformKey, Project, ProjectBuilder, Scope, Source, Task,
};
pub use plan::{Field, Graph, Inputs, KEY_FORMAT, Outline, Plan, PlannedTask};
