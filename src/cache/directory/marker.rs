//! The marker: the file `format`, by which a directory is a store, and of which version.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::config::{self, Config};
use super::disk::Disk;
use super::entry::charge;
use super::file_sync::FileSync;
use super::layout::{Layout, shards};
use super::ledger::Ledger;
use super::options::DirectoryOptions;
use super::perm::Perm;
use super::shard::Shard;
use super::tale::Tale;
use crate::error::{Error, Result};
use crate::host::cancel::Cancel;
use crate::host::lock::{Lock, Wait};

/// The first line of `format`, but for the version.
const MARKER: &str = "cortado store ";

/// The version that this program writes. Version 1 had neither configuration nor ledger; its objects lie in the same places.
const FORMAT: u32 = 2;
const BEFORE: u32 = 1;

/// Makes sure that a directory is a store, and reads how it is configured. An empty directory becomes one, and so does one
/// that holds nothing but a configuration.
pub(super) fn open(layout: &Layout, options: &DirectoryOptions) -> Result<Config> {
    let root = layout.root();
    fs::create_dir_all(root).map_err(Error::io("create", root))?;
    let config = match read(layout)? {
        Some(FORMAT) => read_config(layout)?,
        Some(_) => take_over(layout, options)?,
        None => initialise(layout, options)?,
    };
    Ok(config.overridden(options))
}

/// The version of a store; `None` when there is no marker.
fn read(layout: &Layout) -> Result<Option<u32>> {
    let (path, foreign) = (layout.format(), || foreign(layout));
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(foreign()),
        text => text.map_err(Error::io("read", &path))?,
    };
    let version = text.trim_end().strip_prefix(MARKER).ok_or_else(foreign)?;
    match version.parse() {
        Ok(known @ (BEFORE | FORMAT)) => Ok(Some(known)),
        _ => Err(Error::Newer { path: layout.root().to_path_buf(), found: version.to_owned(), known: FORMAT }),
    }
}

fn read_config(layout: &Layout) -> Result<Config> {
    let path = layout.config();
    match fs::read_to_string(&path) {
        Ok(text) => Config::parse(&text, &path),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::Invalid {
            place: format!("`{}`", path.display()),
            problem: "it is missing, so nobody knows how large the store may get".into(),
            hint: "write one: `size = \"100G\"`".into(),
        }),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Makes a store of a directory. Of two processes that do so at once, one finds what the other has done.
fn initialise(layout: &Layout, options: &DirectoryOptions) -> Result<Config> {
    if !is_vacant(layout.root())? {
        return match read(layout)? {
            Some(_) => read_config(layout),
            None => Err(foreign(layout)),
        };
    }
    add_config(layout, options.initial_size)?;
    // The configuration of another program is refused before anything is marked.
    let config = read_config(layout)?;
    let decided = config.overridden(options);
    mark(layout, &decided)?;
    // There is nothing to count yet. Another process may have been quicker to find that out.
    add(layout, &layout.ledger(), &Ledger::of_nothing(), decided.perm)?;
    Ok(config)
}

/// Makes a store of version 2 out of one of version 1. A reader who may not write leaves that to others.
fn take_over(layout: &Layout, options: &DirectoryOptions) -> Result<Config> {
    let taken = Lock::acquire(&layout.lock(), Wait::UpTo(options.lock_wait), "a cortado", &Cancel::new(), &mut |_| {})
        .and_then(|_lock| {
            add_config(layout, options.initial_size.max(present(layout)?.saturating_mul(2)))?;
            let config = read_config(layout)?;
            mark(layout, &config.overridden(options))?;
            Ok(config)
        });
    match taken {
        Err(Error::Io { source, .. }) if is_refusal(&source) => Config::parse(&config::private(0), &layout.config()),
        taken => taken,
    }
}

/// What the objects of a store take.
fn present(layout: &Layout) -> Result<u64> {
    let sizes = shards().map(|name| {
        let content =
            Shard::new(layout, name).content(&Tale::default()).map_err(Error::io("read", layout.objects()))?;
        Ok(content.objects.iter().map(|object| charge(object.entry.size)).sum::<u64>())
    });
    sizes.sum()
}

/// Writes a configuration, unless there is one.
fn add_config(layout: &Layout, size: u64) -> Result<()> {
    let path = layout.config();
    if path.exists() { Ok(()) } else { add(layout, &path, config::private(size).as_bytes(), Perm::None) }
}

/// Writes a file, unless there is one.
fn add(layout: &Layout, path: &Path, content: &[u8], perm: Perm) -> Result<()> {
    let write = || {
        let mut file = temporary(layout.root())?;
        file.write_all(content)?;
        Disk { perm, sync: FileSync::None }.share_file(file.as_file())?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
            _ => Ok(()),
        }
    };
    write().map_err(Error::io("write", path))
}

fn mark(layout: &Layout, config: &Config) -> Result<()> {
    let (disk, path) = (Disk::new(config), layout.format());
    let write = || {
        let mut file = temporary(layout.root())?;
        file.write_all(format!("{MARKER}{FORMAT}\n").as_bytes())?;
        disk.share_file(file.as_file())?;
        disk.flush(file.as_file())?;
        file.persist(&path).map_err(|error| error.error)?;
        layout.dirs().iter().try_for_each(|dir| disk.make_dir(dir))?;
        fs::OpenOptions::new().append(true).create(true).open(layout.lock()).and_then(|lock| disk.share_file(&lock))
    };
    write().map_err(Error::io("write", &path))
}

fn temporary(dir: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(".tmp-").permissions(Permissions::from_mode(0o666)).tempfile_in(dir)
}

/// Whether there is nothing but a configuration, and the temporary files of whoever is about to make a store.
fn is_vacant(dir: &Path) -> Result<bool> {
    let names: io::Result<Vec<OsString>> =
        fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let names = names.map_err(Error::io("read", dir))?;
    Ok(names.iter().all(|name| name == "config.toml" || name.as_encoded_bytes().starts_with(b".tmp-")))
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn foreign(layout: &Layout) -> Error {
    Error::Foreign { dir: layout.root().to_path_buf(), what: "cortado store" }
}
