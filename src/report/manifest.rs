//! The manifest: what a product is made of, precisely enough to be made again.
//!
//! It is the JSON of Barista and Omnibus, format 2, with four members more for each task: `shasum`, `tag`, `artifact`
//! and `source_checksum`. Readers of that format find everything where they expect it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Archive, At, Checksum, Digest, Git, Input, License, Local, Source, Task, without_credentials};
use crate::plan::Plan;
use crate::run::Preview;

/// The manifest of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of this format: 2.
    pub manifest_format: u32,
    /// The product's version.
    pub build_version: Option<String>,
    /// The commit that its recipe was checked out at.
    pub build_git_revision: Option<String>,
    /// The product's own licence.
    pub license: String,
    /// Its tasks by name, without virtual ones.
    pub software: BTreeMap<String, Software>,
}

/// A task of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Software {
    /// The task.
    pub name: String,
    /// `url`, `git`, `path`, or `project_local` for a task without a source.
    pub source_type: String,
    /// The version that the recipe gives.
    pub described_version: Option<String>,
    /// The version that was taken: of a git source the commit.
    pub locked_version: Option<String>,
    /// Where the source comes from.
    pub locked_source: Option<LockedSource>,
    /// The task's licence.
    pub license: String,
    /// The task's key.
    pub shasum: Digest,
    /// The name of its artifact, without `.tar.gz`.
    pub tag: String,
    /// The artifact's identity, the SHA-256 of its uncompressed tar, once this machine has packed or restored it.
    pub artifact: Option<Digest>,
    /// What pins the source: `sha256:…` (or another algorithm) of an archive, `git:…` of a commit, `tree:…` of the
    /// content of a local directory.
    pub source_checksum: Option<String>,
}

/// Where a source comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LockedSource {
    /// An address, without credentials.
    Url(String),
    /// A repository, without credentials.
    Git(String),
    /// A directory, as the recipe names it.
    Path(String),
}

const FORMAT: u32 = 2;

impl Manifest {
    /// The manifest of what a plan would make.
    pub fn of(preview: &Preview<'_>) -> Self {
        let about = preview.plan().project().metadata();
        let tasks = preview.plan().tasks().iter().zip(preview.artifacts());
        let software = tasks.filter(|(task, _)| !task.task().is_virtual).map(|(task, artifact)| {
            let locked = Locked::of(task.task(), preview.plan());
            let version = task.task().version.clone();
            let software = Software {
                name: task.name().to_owned(),
                source_type: locked.kind.to_owned(),
                described_version: version.clone(),
                locked_version: locked.version.or(version),
                locked_source: locked.source,
                license: task.task().licensing().id.clone(),
                shasum: task.shasum(),
                tag: task.tag().to_owned(),
                artifact: *artifact,
                source_checksum: locked.checksum,
            };
            (task.name().to_owned(), software)
        });
        Self {
            manifest_format: FORMAT,
            build_version: about.version.clone(),
            build_git_revision: about.git_revision.clone(),
            license: about.license.clone().unwrap_or_else(|| License::UNSPECIFIED.to_owned()),
            software: software.collect(),
        }
    }
}

/// What is known for certain of a source.
struct Locked {
    kind: &'static str,
    version: Option<String>,
    source: Option<LockedSource>,
    checksum: Option<String>,
}

impl Locked {
    fn of(task: &Task, plan: &Plan<'_>) -> Self {
        match &task.particulars().source {
            None => Self { kind: "project_local", version: None, source: None, checksum: None },
            Some(Source::Archive(archive)) => Self::archive(archive),
            Some(Source::Git(git)) => Self::git(git, plan),
            Some(Source::Local(local)) => Self::local(local, plan),
        }
    }

    fn archive(archive: &Archive) -> Self {
        let checksums = archive.checksums.iter().filter_map(|(algorithm, hex)| Checksum::new(*algorithm, hex).ok());
        let strongest = checksums.max().map(|checksum| format!("{}:{}", checksum.algorithm(), checksum.hex()));
        let url = without_credentials(&archive.url).into_owned();
        Self { kind: "url", version: None, source: Some(LockedSource::Url(url)), checksum: strongest }
    }

    fn git(git: &Git, plan: &Plan<'_>) -> Self {
        let commit = match &git.at {
            At::Commit(commit) => Some(commit.to_ascii_lowercase()),
            At::Reference(reference) => {
                let input = Input::GitReference { url: git.url.clone(), reference: reference.clone() };
                plan.inputs().get(&input).map(str::to_owned)
            }
            At::Nothing => None,
        };
        let url = without_credentials(&git.url).into_owned();
        let checksum = commit.as_ref().map(|commit| format!("git:{commit}"));
        Self { kind: "git", version: commit, source: Some(LockedSource::Git(url)), checksum }
    }

    fn local(local: &Local, plan: &Plan<'_>) -> Self {
        let input = Input::Tree { path: local.path.clone(), excludes: local.excludes.clone() };
        let checksum = plan.inputs().get(&input).map(|content| format!("tree:{content}"));
        let path = local.path.display().to_string();
        Self { kind: "path", version: None, source: Some(LockedSource::Path(path)), checksum }
    }
}
