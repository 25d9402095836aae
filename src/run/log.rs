//! The log of a task: the full output of its last run, on disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::host::fs;

/// Writes the output of one task to a file as it comes. Lines keep their bytes, whatever they are.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl Log {
    /// Starts the log anew.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let file = fs::make_in(fs::parent(&path), || File::create(&path)).map_err(Error::io("create", &path))?;
        Ok(Self { path, file: Mutex::new(BufWriter::new(file)) })
    }

    /// Adds a line.
    pub(crate) fn line(&self, line: &[u8]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
        written.map_err(Error::io("write", &self.path))
    }

    /// Brings everything to the file.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush().map_err(Error::io("write", &self.path))
    }
}
