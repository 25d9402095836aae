//! cortado: an embeddable build DSL and artifact-caching engine.
//!
//! A [`Project`] is a graph of [`Task`]s. Each task has a key, folded from everything that goes into it and from the
//! keys of its upstreams; an [`Engine`] builds what it has to and fetches the rest, as plain `.tar.gz` artifacts,
//! through the user's [`Callbacks`].
//!
//! ```
//! use cortado::{Engine, Outcome, Project, Task, closures};
//!
//! # fn main() -> cortado::Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let (install_dir, work_dir, cache_dir) = (dir.path().join("i"), dir.path().join("w"), dir.path().join("c"));
//! let project = Project::new("coffeeshop")
//!     .install_dir(install_dir)
//!     .work_dir(work_dir)
//!     .task(Task::new("beans").version("1.0").command("echo arabica > @{stage_install_dir}/beans"))
//!     .build()?;
//!
//! let fetched = cache_dir.clone();
//! let report = Engine::new(&project)
//!     .callbacks(closures(
//!         move |cacher| cacher.unpack(fetched.join(cacher.filename())),
//!         move |artifact| artifact.copy_to(&cache_dir),
//!     ))
//!     .run()?
//!     .check()?;
//! assert_eq!(report.tasks[0].outcome, Outcome::Built);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! `cli` (the default: the binary and all below), `lua` (recipes), `http` (sources from the network), `archives` (xz,
//! bzip2, zstd and zip sources); in no default build, `server` (`cortado serve`), `stores` or any of `s3`, `gcs`, `azblob`, `redis`, `memcached`,
//! `webdav` (stores of artifacts). Without any of them the engine links no async runtime, HTTP client, TLS or Lua.
//!
//! # Layers
//!
//! `model` is plain data, `plan` computes from it without I/O, `host` does all I/O, `cache` moves artifacts, `run` carries
//! a plan out, `report` tells; `lua` and `cli` are outsiders that happen to live here. A test keeps the arrows downward.

mod cache;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
mod error;
mod host;
#[cfg(feature = "lua")]
pub mod lua;
mod model;
mod plan;
mod report;
mod run;
#[cfg(feature = "server")]
pub mod server;
mod text;

pub use cache::{
    Artifact, CacheMode, CachePolicy, Cacher, Callbacks, Capacity, Claim, Claimed, Closures, Counts, DirectoryOptions,
    DirectoryStore, FileSync, Finding, Flaw, Flights, Inspection, Kept, Ledger, Listed, Look, Miss, Misses, Namespace,
    Object, Objects, Offer, PackedMember, Perm, Provenance, Prune, Pruned, PrunedObject, Put, ReadOnly, Remedy, Signed,
    Statistics, Store, Stored, Tier, TierMode, TierSettings, Tiers, Upstream, Usage, WritePolicy, artifact_digest,
    closures, inspect,
};
#[cfg(feature = "signing")]
pub use cache::{NotAKey, PublicKey, SigningKey};
pub use cache::{conformance, stores};
pub use config::{
    CacheSpec, Configuration, Directory, Holder, Key, Kind, NotASize, SecretSource, ServerSpec, Setting, SettingOrigin,
    Settings, StoreKind, StoreSpec, Surroundings, TierSpec, Whose, parse_length, parse_size,
};
pub use error::{Error, Result};
pub use host::cancel::Cancel;
pub use host::detect::detect;
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
    CacheStats, Change, Check, Closing, Detail, Diagnosis, Exit, Explanation, Failure, FindingList, Ink, JSON_FORMAT,
    LastTime, LicenseReport, ListedObject, ListedTask, LockedSource, Manifest, Narrator, ObjectList, ObjectReport,
    Paint, PlanReport, Removal, RemovedObject, SettingList, Software, StoreStats, TaskLicense, TaskList, TaskPlan,
    Verdict, summary,
};
pub use run::{
    Action, CacheReport, Clean, Cleaned, Decision, Engine, Event, History, Origin, Outcome, Preview, Progress, Report,
    SourceState, Standing, TaskRef, TaskReport, TierReport,
};

/// The pages whose code has to compile.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/directory-store.md")]
    struct DirectoryStore;
    #[doc = include_str!("../docs/embedding.md")]
    struct Embedding;
    #[cfg(feature = "http")]
    #[doc = include_str!("../docs/stores.md")]
    struct Stores;
}
