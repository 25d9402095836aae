//! Brings a task's source to its source directory: fetched or found and verified, by a transfer slot; unpacked fresh, by a
//! worker.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::event::{Event, SourceState, TaskRef};
use super::neutral;
use super::ours::Ours;
use super::settings::Settings;
use super::work_dir::WorkDir;
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::decompress;
use crate::host::download::{Download, DownloadEvent};
use crate::host::fs;
use crate::host::git;
use crate::host::http::{Network, redact};
use crate::host::unpack::{Limits, Profile, UnpackOptions, unpack};
use crate::model::{Archive, At, Checksum, Format, Git, Input, Local, Source, Task, pattern_set};
use crate::plan::Inputs;

/// Where sources come from besides the network, and whether that may be used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supply {
    /// Directories to look in first.
    pub(crate) mirrors: Vec<PathBuf>,
    pub(crate) network: Network,
    /// The source cache.
    pub(crate) cache_dir: PathBuf,
    /// What git needs of the caller's environment.
    pub(crate) git_env: Vec<(String, String)>,
}

/// The variables of the caller's environment by which git finds repositories that are not public.
const GIT_ENV: [&str; 6] = ["PATH", "HOME", "SSH_AUTH_SOCK", "https_proxy", "http_proxy", "no_proxy"];

impl Supply {
    /// What the caller's settings say, with the source cache of a work directory.
    pub(crate) fn new(settings: &Settings, dir: &WorkDir) -> Self {
        let network = Network {
            offline: settings.offline,
            ca_file: settings.ca_file.clone(),
            proxy: settings.proxy.clone(),
            ..Network::default()
        };
        let git_env = GIT_ENV.iter().filter_map(|name| {
            let value = settings.ambient.get(std::ffi::OsStr::new(name))?;
            Some(((*name).to_owned(), value.to_str()?.to_owned()))
        });
        Supply { mirrors: settings.mirrors.clone(), network, cache_dir: dir.sources(), git_env: git_env.collect() }
    }
}

/// A source on this machine, ready to be unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provision {
    /// Nothing had to be brought.
    Here,
    /// A verified file in the source cache.
    File(PathBuf),
    /// A repository in the source cache that has this commit.
    Mirror(PathBuf, String),
}

/// Whether the source of a task has to be brought from somewhere.
pub(crate) fn is_remote(task: &Task) -> bool {
    matches!(&task.particulars().source, Some(Source::Archive(_) | Source::Git(_)))
}

/// Brings the source of `task` into the source cache. Nothing is unpacked: this is waiting, not work.
pub(crate) fn fetch(
    task: &Task,
    inputs: &Inputs,
    supply: &Supply,
    cancel: &Cancel,
    tell: &dyn Fn(Event),
) -> Result<Provision> {
    let tell = |from: &str, state| tell(progress(&task.name().into(), from, state));
    match &task.particulars().source {
        Some(Source::Archive(source)) => fetch_archive(source, supply, cancel, &tell).map(Provision::File),
        Some(Source::Git(source)) => fetch_commit(source, inputs, supply, cancel, &tell),
        Some(Source::Local(_)) | None => Ok(Provision::Here),
    }
}

/// Fills the fresh directory `dir` with the source of `task`.
pub(crate) fn bring(
    task: &Task,
    provision: &Provision,
    dir: &Path,
    supply: &Supply,
    context: &Context<'_>,
) -> Result<()> {
    fs::empty_dir(dir)?;
    match (&task.particulars().source, provision) {
        (Some(Source::Archive(source)), Provision::File(file)) => archive(source, file, dir, context),
        (Some(Source::Git(source)), Provision::Mirror(mirror, commit)) => {
            repository(source, mirror, commit, dir, supply, context)
        }
        (Some(Source::Local(source)), _) => local(source, dir, context),
        _ => Ok(()),
    }
}

fn fetch_archive(
    source: &Archive,
    supply: &Supply,
    cancel: &Cancel,
    tell: &dyn Fn(&str, SourceState),
) -> Result<PathBuf> {
    let checksum = strongest(source)?;
    let mut network = supply.network.clone();
    network.retries.times = source.retries as usize;
    network.timeouts.total = Some(source.timeout);
    let download = Download {
        url: &source.url,
        headers: &source.headers,
        checksum: &checksum,
        cache_dir: &supply.cache_dir,
        mirrors: &supply.mirrors,
        network: &network,
        cancelled: &|| cancel.is_cancelled(),
    };
    let from = redact(&source.url);
    download.run(&mut |event| tell(&from, state(event)))
}

fn archive(source: &Archive, file: &Path, dir: &Path, context: &Context<'_>) -> Result<()> {
    let checksum = strongest(source)?;
    if checksum.is_weak() {
        context.warn(format!("{} can be forged; give a sha256 of {}", checksum.algorithm(), redact(&source.url)))?;
    }
    unpack_file(source, file, dir)?;
    ready(context, &redact(&source.url));
    Ok(())
}

fn strongest(source: &Archive) -> Result<Checksum> {
    let checksums = source.checksums.iter().filter_map(|(algorithm, hex)| Checksum::new(*algorithm, hex).ok());
    checksums.max().ok_or_else(|| Error::Invalid {
        place: format!("source {}", redact(&source.url)),
        problem: "has no checksum".into(),
        hint: "add `sha256`".into(),
    })
}

fn unpack_file(source: &Archive, file: &Path, dir: &Path) -> Result<()> {
    let format = match source.format {
        Some(format) => format,
        None => detect(file)?,
    };
    match format {
        Format::Plain => {
            let name = file.file_name().unwrap_or_default();
            neutral::copy_file(file, 0o644, &dir.join(name))
        }
        Format::Zip => zip(file, dir, source.strip),
        format => {
            let options = UnpackOptions {
                archive: &file.display().to_string(),
                profile: Profile::Source,
                strip: source.strip,
                limits: Limits::default(),
            };
            unpack(decompress::open(file, format)?, dir, &options).map(drop)
        }
    }
}

/// What a file is. One that is called an archive and is none was cut off or replaced by an error page when its checksum
/// was taken.
fn detect(file: &Path) -> Result<Format> {
    let format = decompress::detect(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    match Format::from_name(&name).filter(|_| format == Format::Plain) {
        None => Ok(format),
        Some(promised) => Err(Error::Archive {
            archive: file.display().to_string(),
            problem: format!("it is no {promised}, though its name says so; if it is meant to be a file, say `plain`"),
        }),
    }
}

#[cfg(feature = "archives")]
fn zip(file: &Path, dir: &Path, strip: usize) -> Result<()> {
    let options = decompress::zip::ZipOptions { strip, ..Default::default() };
    decompress::zip::extract(file, dir, options)
}

#[cfg(not(feature = "archives"))]
fn zip(file: &Path, _dir: &Path, _strip: usize) -> Result<()> {
    decompress::open(file, Format::Zip).map(drop)
}

/// A local directory, copied; a local file under its own name.
fn local(source: &Local, dir: &Path, context: &Context<'_>) -> Result<()> {
    let path = context.recipe_file(&source.path);
    let found = std::fs::metadata(&path).map_err(Error::io("read", &path))?;
    if !found.is_dir() {
        let name = path.file_name().unwrap_or_default();
        return neutral::copy_file(&path, found.permissions().mode(), &dir.join(name));
    }
    let excludes = pattern_set("exclude", &source.excludes)?;
    let ours = Ours::of([&context.paths.work_dir, &context.paths.install_dir]);
    neutral::copy(&path, dir, &|below, _| excludes.is_match(below) || ours.has(&path.join(below)))
}

fn fetch_commit(
    source: &Git,
    inputs: &Inputs,
    supply: &Supply,
    cancel: &Cancel,
    tell: &dyn Fn(&str, SourceState),
) -> Result<Provision> {
    let commit = match &source.at {
        At::Commit(commit) => commit.clone(),
        At::Reference(reference) => {
            let input = Input::GitReference { url: source.url.clone(), reference: reference.clone() };
            inputs.get(&input).unwrap_or_default().to_owned()
        }
        At::Nothing => String::new(),
    };
    tell(&redact(&source.url), SourceState::Started);
    let mirror = git(source, supply, &|| cancel.is_cancelled()).fetch(&commit)?;
    Ok(Provision::Mirror(mirror, commit))
}

fn repository(
    source: &Git,
    mirror: &Path,
    commit: &str,
    dir: &Path,
    supply: &Supply,
    context: &Context<'_>,
) -> Result<()> {
    git(source, supply, &|| context.cancel.is_cancelled()).checkout(mirror, commit, dir, source.submodules)?;
    neutral::level(dir)?;
    ready(context, &redact(&source.url));
    Ok(())
}

fn git<'a>(source: &'a Git, supply: &'a Supply, cancelled: &'a dyn Fn() -> bool) -> git::Git<'a> {
    let offline = supply.network.offline;
    git::Git { url: &source.url, cache_dir: &supply.cache_dir, env: &supply.git_env, offline, cancelled }
}

fn state(event: DownloadEvent) -> SourceState {
    match event {
        DownloadEvent::Cached => SourceState::Cached,
        DownloadEvent::FromMirror(path) => SourceState::Local { path },
        DownloadEvent::Started(_) => SourceState::Started,
        DownloadEvent::Progress { bytes, total } => SourceState::Received { bytes, total },
        DownloadEvent::Retrying { attempt, reason, .. } => SourceState::Retrying { attempt, reason },
    }
}

fn ready(context: &Context<'_>, from: &str) {
    context.tell(progress(&context.task, from, SourceState::Ready));
}

fn progress(task: &TaskRef, from: &str, state: SourceState) -> Event {
    Event::SourceProgress { task: task.clone(), from: from.to_owned(), state }
}
