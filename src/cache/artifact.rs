//! An artifact on its way into the cache: a packed tree that lies in a temporary file.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tempfile::{NamedTempFile, TempPath};

use super::provenance::Provenance;
use super::remarks::{Remark, Remarks};
use crate::host::fs::share_file;
use crate::model::Digest;

/// What `update` is handed. Cheap to clone; the file is removed when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Artifact {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) tag: String,
    pub(crate) filename: String,
    pub(crate) path: TempPath,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) provenance: Provenance,
    pub(crate) replace: bool,
    /// The tiers that it is for, if it was offered before and the others have it; empty: whoever is written.
    pub(crate) tiers: Vec<String>,
    pub(crate) remarks: Remarks,
}

impl AsRef<Path> for Artifact {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl Artifact {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// `<prefix>-<task>-<shasum>`.
    pub fn tag(&self) -> &str {
        &self.inner.tag
    }

    /// `<tag>.tar.gz`.
    pub fn filename(&self) -> &str {
        &self.inner.filename
    }

    /// The packed file. It lives as long as this value or a clone of it.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The artifact's identity: the SHA-256 of its uncompressed tar.
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    /// The packed file's size in bytes.
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// How long the task took to build.
    pub fn build_time(&self) -> Duration {
        self.inner.provenance.build_time.unwrap_or_default()
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.inner.provenance
    }

    /// Whether an artifact that is kept already should be replaced: the run rebuilds on purpose, or the kept one
    /// proved corrupt, or is not trusted while this one is signed.
    pub fn replace(&self) -> bool {
        self.inner.replace
    }

    /// Whether a tier is to be offered it.
    pub(crate) fn is_for(&self, tier: &str) -> bool {
        self.inner.tiers.is_empty() || self.inner.tiers.iter().any(|name| name == tier)
    }

    /// Says something about keeping it that the user should know, though it is no error: a warning of the task.
    pub fn warn(&self, text: impl Into<String>) {
        self.remark(Remark::Warning(text.into()));
    }

    pub(crate) fn remark(&self, remark: Remark) {
        self.inner.remarks.add(remark);
    }

    /// What was said since the last call.
    pub(crate) fn take_remarks(&self) -> Vec<Remark> {
        self.inner.remarks.take()
    }

    /// Copies the file into a directory under its own name, or links it there where that is possible, and makes the
    /// directory if it is not there. It appears whole or not at all; one that is there already stays, unless it is to
    /// be [replaced](Artifact::replace).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn copy_to(&self, dir: impl AsRef<Path>) -> anyhow::Result<bool> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).with_context(|| format!("could not create `{}`", dir.display()))?;
        let target = dir.join(self.filename());
        self.publish(dir, &target).with_context(|| format!("could not write `{}`", target.display()))?;
        Ok(true)
    }

    /// Removes the packed file, whoever still holds this value.
    pub(crate) fn discard(&self) {
        // What cannot be removed now is swept by the next run.
        _ = std::fs::remove_file(self.path());
    }

    fn publish(&self, dir: &Path, target: &Path) -> io::Result<()> {
        if !self.replace() {
            match share_file(self.path(), target) {
                Ok(false) => {}
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => return Ok(()),
            }
        }
        let mut file = NamedTempFile::with_prefix_in(".tmp-", dir)?;
        io::copy(&mut File::open(self.path())?, file.as_file_mut())?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        if self.replace() {
            file.persist(target)?;
            return Ok(());
        }
        match file.persist_noclobber(target) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => Ok(()),
        }
    }
}

/// The file name of the artifact with that tag.
pub(crate) fn filename(tag: &str) -> String {
    format!("{tag}.tar.gz")
}
