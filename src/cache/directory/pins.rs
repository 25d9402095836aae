//! Pins: objects that are never evicted.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context;

use super::DirectoryStore;
use super::depot::Depot;
use crate::cache::store::Store;

impl DirectoryStore {
    /// Keeps an object from ever being evicted; it can still be removed by name. `false` when there is none of that name.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn pin(&self, name: &str) -> anyhow::Result<bool> {
        if !self.has(name)? {
            return Ok(false);
        }
        let (disk, pins) = (&self.depot.disk, self.depot.layout.pins());
        let pinned = disk.make_dir(&pins).and_then(|()| match disk.create(&pins.join(name)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => disk.flush_dir(&pins),
        });
        pinned.with_context(|| format!("could not pin `{name}`"))?;
        Ok(true)
    }

    /// Lets a pinned object be evicted again. `false` when it was not pinned.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unpin(&self, name: &str) -> anyhow::Result<bool> {
        self.depot.layout.object(name)?;
        match fs::remove_file(self.depot.layout.pins().join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("could not unpin `{name}`")),
        }
    }
}

impl Depot {
    pub(super) fn is_pinned(&self, name: &str) -> bool {
        self.layout.pins().join(name).exists()
    }

    /// Removes the pin of an object that is gone.
    pub(super) fn forget_pin(&self, name: &str) {
        _ = fs::remove_file(self.layout.pins().join(name));
    }
}
