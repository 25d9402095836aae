//! The disk: how a store makes its files and directories, so that others may use them and find them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::config::Config;
use super::fault;
use super::file_sync::FileSync;
use super::perm::Perm;

/// Makes, replaces and synchronises files as a store's configuration says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk {
    pub(super) sync: FileSync,
    pub(super) perm: Perm,
}

impl Disk {
    pub(super) fn new(config: &Config) -> Self {
        Self { sync: config.file_sync, perm: config.perm }
    }

    /// Makes a directory, if it is missing. Nothing above it is made: a store that is gone does not come back.
    pub(super) fn make_dir(&self, dir: &Path) -> io::Result<()> {
        match fs::create_dir(dir) {
            Ok(()) if self.perm == Perm::None => Ok(()),
            Ok(()) => self.share(dir, &fs::metadata(dir)?.permissions()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A new file that nobody else knows yet.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        self.share_file(&file)?;
        Ok(file)
    }

    /// Lets others use a file that was created under the caller's umask.
    pub(super) fn share_file(&self, file: &File) -> io::Result<()> {
        if self.perm == Perm::None {
            return Ok(());
        }
        let mode = file.metadata()?.permissions().mode();
        let shared = self.shared(mode);
        if shared == mode { Ok(()) } else { file.set_permissions(Permissions::from_mode(shared)) }
    }

    /// A mode with what the owner may also allowed to whom the configuration says.
    pub(super) fn shared(&self, mode: u32) -> u32 {
        let owner = (mode & 0o700) >> 6;
        match self.perm {
            Perm::None => mode,
            Perm::Group => mode | owner << 3,
            Perm::Other => mode | owner << 3 | owner,
        }
    }

    /// Replaces a file: others see the old content or the new. Only one at a time may do so: the name of the draft is fixed.
    pub(super) fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let draft = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&draft)?;
        self.share_file(&file)?;
        file.write_all(content)?;
        self.flush(&file)?;
        fault::point("replace: written");
        fs::rename(&draft, path)?;
        fault::point("replace: renamed");
        self.flush_dir(crate::host::fs::parent(path))
    }

    /// After a file was written, before it gets its name.
    pub(super) fn flush(&self, file: &File) -> io::Result<()> {
        if self.sync == FileSync::Sync { file.sync_all() } else { Ok(()) }
    }

    /// After a name was made, changed or removed in a directory.
    pub(super) fn flush_dir(&self, dir: &Path) -> io::Result<()> {
        match self.sync {
            FileSync::None => Ok(()),
            FileSync::Dir => File::open(dir).map(drop),
            FileSync::Sync => File::open(dir)?.sync_all(),
        }
    }

    /// Before names are looked up in a directory: opening it makes an NFS client ask what is in it.
    pub(super) fn look_anew(&self, dir: &Path) {
        if self.sync == FileSync::Dir {
            _ = File::open(dir);
        }
    }

    fn share(&self, path: &Path, permissions: &Permissions) -> io::Result<()> {
        let mode = permissions.mode();
        let shared = self.shared(mode);
        if shared == mode { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(shared)) }
    }
}
