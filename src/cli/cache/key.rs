//! `cortado cache key new`: makes a key that signs artifacts.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;

use crate::cli::terminal::Terminal;
use crate::{Error, Exit, JSON_FORMAT, Result, SigningKey};

#[derive(Serialize)]
struct KeyReport<'a> {
    format: u32,
    file: &'a Path,
    public: String,
}

pub(super) fn new(path: &Path, terminal: &Terminal) -> Result<Exit> {
    let io = |verb| move |source| Error::Io { verb, path: path.to_path_buf(), source };
    let key = SigningKey::generate().map_err(io("make a key for"))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| refused(path, error))?;
    let written = file.write_all(format!("{}\n", key.to_secret_text()).as_bytes()).and_then(|()| file.sync_all());
    written.map_err(io("write"))?;
    let public = key.public().to_string();
    if terminal.json() {
        terminal.report_json(&KeyReport { format: JSON_FORMAT, file: path, public })?;
    } else {
        terminal.report(&format!("{public}\n"))?;
    }
    Ok(Exit::Success)
}

fn refused(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::AlreadyExists => Error::Invalid {
            place: format!("`{}`", path.display()),
            problem: "it exists already, and a key that is overwritten is lost".into(),
            hint: "name another file".into(),
        },
        _ => Error::Io { verb: "create", path: path.to_path_buf(), source: error },
    }
}
