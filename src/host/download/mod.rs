//! One file of a source, by address and checksum: out of the source cache, a directory of files already at hand, or
//! the network.
//!
//! ```text
//! <cache_dir>/
//!   <sha256>/NAME             a verified file; other algorithms: <algorithm>-<hex>/NAME
//!   <sha256>/.NAME.part       what has arrived so far, taken up again by the next attempt, also of a later run
//!   <sha256>/.NAME.validator  the ETag or date that the partial file belongs to
//!   <sha256>/.lock            held by the process that works here; gone afterwards
//! ```
//!
//! The checksum decides, never the address: whatever is handed out was hashed during this very call. What is inside
//! the file is no concern of this module.
#![cfg_attr(not(feature = "http"), allow(dead_code, reason = "without the network, what only it needs lies idle"))]

#[cfg(feature = "http")]
mod attempt;
#[cfg(feature = "http")]
mod fetch;
mod mirror;
mod slot;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::host::checksum;
use crate::host::http::{Address, Network, redact};
use crate::model::Checksum;

use slot::Slot;

/// What to download, where to keep it, and how patient to be.
pub(crate) struct Download<'a> {
    /// An `http`, `https` or `file` address; `user:password@` becomes basic authentication and is never shown.
    pub(crate) url: &'a str,
    /// Headers for the address's own origin; a redirect elsewhere does not carry them.
    pub(crate) headers: &'a [(String, String)],
    /// What the file must be.
    pub(crate) checksum: &'a Checksum,
    /// The source cache.
    pub(crate) cache_dir: &'a Path,
    /// Directories to look in before the network.
    pub(crate) mirrors: &'a [PathBuf],
    /// How to use the network.
    pub(crate) network: &'a Network,
    /// Asked often; `true` ends the download with [`Error::Interrupted`].
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

/// What happens during a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DownloadEvent {
    /// The file is in the cache already.
    Cached,
    /// This file has the wanted content and is used instead of the network.
    FromMirror(PathBuf),
    /// Asking the address, without its credentials.
    Started(String),
    /// So much has arrived, of so much if that is known. What an earlier attempt brought counts.
    Progress {
        /// Bytes at hand.
        bytes: u64,
        /// Bytes there will be.
        total: Option<u64>,
    },
    /// An attempt failed and another follows.
    Retrying {
        /// The attempt that failed, from 1.
        attempt: usize,
        /// Why.
        reason: String,
        /// The wait until the next one.
        after: Duration,
    },
}

impl Download<'_> {
    /// The verified file in the cache.
    pub(crate) fn run(&self, on_event: &mut dyn FnMut(DownloadEvent)) -> Result<PathBuf> {
        let address = Address::parse(self.url)?;
        let slot = Slot::lock(self.cache_dir, self.checksum, &address.file_name(), self.cancelled)?;
        if slot.reuse()? {
            on_event(DownloadEvent::Cached);
            return Ok(slot.path());
        }
        if let Some(found) = mirror::find(self.mirrors, slot.name(), self.checksum, self.cancelled)? {
            self.copy(&found, &slot)?;
            on_event(DownloadEvent::FromMirror(found));
            return Ok(slot.path());
        }
        on_event(DownloadEvent::Started(address.shown()));
        match address.local_path()? {
            Some(path) => self.copy(&path, &slot)?,
            None if self.network.offline => return Err(Error::Offline { url: address.shown() }),
            None => self.fetch(&address, &slot, on_event)?,
        }
        Ok(slot.path())
    }

    fn copy(&self, from: &Path, slot: &Slot) -> Result<()> {
        let temporary = tempfile::NamedTempFile::new_in(slot.dir()).map_err(Error::io("create", slot.dir()))?;
        std::fs::copy(from, temporary.path()).map_err(Error::io("copy", from))?;
        let found = checksum::of_file(temporary.path(), &[self.checksum.algorithm()])?;
        found.verify(self.checksum, &redact(self.url))?;
        slot.finish(temporary.path())
    }

    #[cfg(feature = "http")]
    fn fetch(&self, address: &Address, slot: &Slot, on_event: &mut dyn FnMut(DownloadEvent)) -> Result<()> {
        fetch::fetch(self, address, slot, on_event)
    }

    #[cfg(not(feature = "http"))]
    fn fetch(&self, address: &Address, _: &Slot, _: &mut dyn FnMut(DownloadEvent)) -> Result<()> {
        Err(address.error("this build of cortado has no network; build it with the feature `http`"))
    }
}
