//! Unpacking: a tar stream in, a directory tree out, trusting nothing that the stream says.
//!
//! Everything is created below one directory that was opened before, through real directories only, by names that were
//! checked; a stream that wants anything else is refused as a whole, naming the member. The caller made the directory
//! for this purpose and deletes it when unpacking fails.

mod directory;
mod dirs;
mod files;
mod inventory;
mod members;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use self::directory::Directory;
use self::dirs::Dirs;
use self::files::{Failure, Files, NewFile};
use self::inventory::Inventory;
use self::members::{Kind, Member, Members};
use crate::error::{Error, Result, errno};
use crate::host::busy;
use crate::host::gzip;
use crate::host::layout::Layout;
use crate::host::listing::{self, Entry, bytes};
use crate::model::{Digest, Signature};

/// Whose archive it is, and so how strictly it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A packed tree: exact or refused. Modes are kept with setuid; a path may come once; the end must be there.
    Artifact,
    /// An upstream release: as `tar` would. No setuid, directories writable, the last of several members wins.
    Source,
}

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Headers, those of long names included.
    pub(crate) entries: u64,
    /// Bytes of the uncompressed tar.
    pub(crate) bytes: u64,
}

impl Default for Limits {
    /// Ten million members and 1 TiB: more than any honest archive, less than a bomb.
    fn default() -> Self {
        Self { entries: 10_000_000, bytes: 1 << 40 }
    }
}

/// How to unpack.
#[derive(Debug, Clone)]
pub(crate) struct UnpackOptions<'a> {
    /// What errors call the archive: its path or tag.
    pub(crate) archive: &'a str,
    pub(crate) profile: Profile,
    /// Leading components to take off every name.
    pub(crate) strip: usize,
    pub(crate) limits: Limits,
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unpacked {
    /// Members that were created.
    pub(crate) entries: u64,
    /// Bytes of files' content.
    pub(crate) bytes: u64,
}

/// What was unpacked from an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnpackedArtifact {
    /// What a listing from `/` on would hold now, in its order, without the walk.
    pub(crate) entries: Vec<Entry>,
    /// Where that lies: as was asked for, or from `/` on where there was something outside of that.
    pub(crate) layout: Layout,
    /// SHA-256 of the uncompressed tar.
    pub(crate) digest: Digest,
    /// Whether the artifact promised it; those of other tools promise nothing.
    pub(crate) promised: bool,
    /// Who vouches for it, unchecked.
    pub(crate) signature: Option<Signature>,
}

/// Unpacks the uncompressed tar `reader`, to its true end, into the fresh and empty directory `dest`.
pub(crate) fn unpack(reader: impl Read, dest: &Path, options: &UnpackOptions) -> Result<Unpacked> {
    extract(reader, Layout::whole(dest), options).map(|extractor| extractor.unpacked)
}

/// Unpacks the artifact `file` (a `.tar.gz`, ours or another tool's) into a directory that is fresh and empty.
///
/// Success means that all of it arrived and that it is what it promises to be.
pub(crate) fn unpack_artifact(file: impl Read, archive: &str, to: Layout, limits: Limits) -> Result<UnpackedArtifact> {
    unpack_artifact_with(file, archive, to, limits, 0)
}

/// The same with so many inflating threads; 0 for one per core.
fn unpack_artifact_with(
    file: impl Read,
    archive: &str,
    to: Layout,
    limits: Limits,
    threads: usize,
) -> Result<UnpackedArtifact> {
    let refuse = |problem: String| Error::Archive { archive: archive.to_owned(), problem };
    let mut reader = gzip::Reader::new(file, threads).map_err(|error| refuse(error.to_string()))?;
    let options = UnpackOptions { archive, profile: Profile::Artifact, strip: 0, limits };
    let Extractor { inventory, layout, .. } = extract(&mut reader, to, &options)?;
    let seal = reader.seal().ok_or_else(|| refuse("it was not read to its end".into()))?;
    if seal.tag.is_some_and(|tag| tag != Digest::of(archive)) {
        return Err(refuse("it was made for another tag".into()));
    }
    let entries = inventory.finish();
    Ok(UnpackedArtifact { entries, layout, digest: seal.digest, promised: seal.promised, signature: seal.signature })
}

/// Unpacks the tar; of artifacts, where every path comes once, with the inventory.
fn extract<'a, R: Read>(reader: R, layout: Layout, options: &'a UnpackOptions<'a>) -> Result<Extractor<'a, R>> {
    let root = open(&layout)?;
    let mut extractor = Extractor {
        members: Members::new(reader, options.archive, options.profile, options.limits),
        options,
        layout,
        dirs: Dirs::below(root.clone()),
        targets: Dirs::below(root),
        directories: HashMap::new(),
        files: Files::new(),
        buffer: Vec::new(),
        unpacked: Unpacked::default(),
        inventory: Inventory::default(),
    };
    while let Some(member) = extractor.members.next()? {
        extractor.add(&member)?;
    }
    extractor.members.finish()?;
    extractor.settle()?;
    extractor.inventory.settle_names(&extractor.layout)?;
    extractor.seal_directories()?;
    Ok(extractor)
}

fn open(layout: &Layout) -> Result<Arc<OwnedFd>> {
    let root = File::open(&layout.dir).map_err(Error::io("open", &layout.dir))?;
    Ok(Arc::new(root.into()))
}

/// Bytes written at once.
const BUFFER: usize = 128 * 1024;

struct Extractor<'a, R> {
    members: Members<'a, R>,
    options: &'a UnpackOptions<'a>,
    layout: Layout,
    dirs: Dirs,
    /// For the targets of hard links.
    targets: Dirs,
    /// All directories so far, each writable until the end.
    directories: HashMap<OsString, Directory>,
    files: Files,
    buffer: Vec<u8>,
    unpacked: Unpacked,
    inventory: Inventory,
}

impl<R: Read> Extractor<'_, R> {
    fn add(&mut self, member: &Member) -> Result<()> {
        let Some(path) = self.path(member)? else { return Ok(()) };
        self.unpacked.entries += 1;
        self.reach(member, &path)?;
        self.add_parents(member, &path)?;
        match &member.kind {
            Kind::Directory => self.add_directory(member, &path),
            Kind::File => self.add_file(member, &path),
            Kind::Symlink(target) => self.add_symlink(member, &path, target),
            Kind::HardLink(target) => self.add_hard_link(member, &path, target),
        }
    }

    /// The member's path from the top of the archive; `None` for a directory that stripping leaves nothing of.
    fn path(&self, member: &Member) -> Result<Option<PathBuf>> {
        let path = clean(&member.name, self.options.strip).map_err(|problem| self.refuse(member, problem))?;
        match (path, &member.kind) {
            (None, Kind::Directory) => Ok(None),
            (None, _) if self.options.strip > 0 => {
                Err(self.refuse(member, &format!("has no more than {} leading components", self.options.strip)))
            }
            (None, _) => Err(self.refuse(member, "has an empty name")),
            (path, _) => Ok(path),
        }
    }

    fn add_file(&mut self, member: &Member, path: &Path) -> Result<()> {
        self.unpacked.bytes += self.members.left();
        // Where one member may replace another the order matters.
        match self.options.profile {
            Profile::Artifact if self.members.left() <= files::LARGEST => self.add_small_file(member, path),
            _ => self.add_large_file(member, path),
        }
    }

    fn add_small_file(&mut self, member: &Member, path: &Path) -> Result<()> {
        let dir = match self.halves(path) {
            Some((parent, _)) => self.dirs.enter(parent).map(Arc::clone),
            None => Err(Errno::NOENT),
        };
        let file = NewFile {
            dir: dir.map_err(|error| self.failed(member, "open the directory of", path, error))?,
            path: path.to_path_buf(),
            mode: self.mode(member, 0),
            mtime: member.mtime,
            size: self.members.left() as usize,
        };
        let content = self.files.add(file).map_err(|failure| blame(&self.members, &self.layout, failure))?;
        self.members.read_exact(content)
    }

    fn add_large_file(&mut self, member: &Member, path: &Path) -> Result<()> {
        let mode = self.mode(member, 0);
        let _nobody_starts = busy::writing_program(mode);
        let mut file = self.create(member, path, |parent, name| files::create(parent, name, mode))?;
        let place = self.place(path);
        self.buffer.resize(BUFFER, 0);
        loop {
            match self.members.read(&mut self.buffer)? {
                0 => break,
                count => file.write_all(&self.buffer[..count]).map_err(Error::io("write", &place))?,
            }
        }
        let found = files::finish(&file, mode, member.mtime).map_err(Error::io("finish", &place))?;
        self.note(path, listing::Kind::File, &found);
        Ok(())
    }

    fn add_symlink(&mut self, member: &Member, path: &Path, target: &[u8]) -> Result<()> {
        let times = files::times(member.mtime);
        self.create(member, path, |parent, name| {
            rustix::fs::symlinkat(OsStr::from_bytes(target), parent, name)?;
            rustix::fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)
        })?;
        let found = self.examine(path)?;
        self.note(path, listing::Kind::Symlink(OsStr::from_bytes(target).into()), &found);
        Ok(())
    }

    fn add_hard_link(&mut self, member: &Member, path: &Path, target: &[u8]) -> Result<()> {
        let target = match clean(target, self.options.strip) {
            Ok(Some(target)) if target != path => target,
            Ok(_) => return Err(self.refuse(member, "is a hard link to nothing")),
            Err(problem) => return Err(self.refuse(member, &format!("is a hard link whose target {problem}"))),
        };
        self.settle()?;
        let target_dir = self.target_dir(member, &target)?;
        let target_name = target.file_name().unwrap_or_default();
        self.create(member, path, |parent, name| {
            rustix::fs::linkat(&target_dir, target_name, parent, name, AtFlags::empty())
        })?;
        if self.options.profile == Profile::Artifact {
            self.inventory.add_name(path, &target);
        }
        Ok(())
    }

    /// The directory of a hard link's target: a link may only give a second name to a file out of this archive.
    fn target_dir(&mut self, member: &Member, target: &Path) -> Result<Arc<OwnedFd>> {
        let halves = self.halves(target).ok_or(Errno::NOENT);
        let found = halves.and_then(|(parent, name)| {
            let parent = self.targets.enter(parent)?;
            let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            if is_file { Ok(Arc::clone(parent)) } else { Err(Errno::INVAL) }
        });
        found.map_err(|_| {
            let problem = format!("is a hard link to `{}`, which is no file unpacked before it", target.display());
            self.refuse(member, &problem)
        })
    }

    /// Runs `make` in the directory of `path`, whose parents exist; once more when it may replace what is there.
    fn create<T>(
        &mut self,
        member: &Member,
        path: &Path,
        mut make: impl FnMut(BorrowedFd<'_>, &OsStr) -> rustix::io::Result<T>,
    ) -> Result<T> {
        let replaces = self.options.profile == Profile::Source;
        let halves = self.halves(path).ok_or(Errno::NOENT);
        let entered = halves.and_then(|(parent, name)| Ok((self.dirs.enter(parent)?, name)));
        let made = entered.and_then(|(parent, name)| match make(parent.as_fd(), name) {
            Err(Errno::EXIST) if replaces => {
                rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
                make(parent.as_fd(), name)
            }
            made => made,
        });
        made.map_err(|error| self.failed(member, "create", path, error))
    }

    /// Waits for the files that are being written.
    fn settle(&mut self) -> Result<()> {
        self.files.settle().map_err(|failure| blame(&self.members, &self.layout, failure))?;
        self.inventory.add_all(self.files.take_written());
        Ok(())
    }

    fn examine(&self, path: &Path) -> Result<Metadata> {
        let place = self.place(path);
        fs::symlink_metadata(&place).map_err(Error::io("examine", place))
    }

    /// Where a path lies; for messages also where one would that does not.
    fn place(&self, path: &Path) -> PathBuf {
        self.layout.place(path).unwrap_or_else(|| self.layout.dir.join(path))
    }

    /// Directory, from that of the layout, and name of a path, if it has a place.
    fn halves<'p>(&self, path: &'p Path) -> Option<(&'p Path, &'p OsStr)> {
        let inner = self.layout.inner(path)?;
        Some((inner.parent().unwrap_or(Path::new("")), inner.file_name().unwrap_or_default()))
    }

    /// Notes what lies at a path now. Of sources, where one member may replace another, nothing is noted.
    fn note(&mut self, path: &Path, kind: listing::Kind, found: &Metadata) {
        if self.options.profile == Profile::Artifact {
            self.inventory.add(Entry::of(path.to_path_buf(), kind, found));
        }
    }

    fn mode(&self, member: &Member, at_least: u32) -> u32 {
        match self.options.profile {
            Profile::Artifact => member.mode,
            Profile::Source => member.mode & 0o777 | at_least,
        }
    }

    /// Whether the archive or this machine is to blame.
    fn failed(&self, member: &Member, verb: &'static str, path: &Path, error: Errno) -> Error {
        match error {
            Errno::EXIST | Errno::NOTDIR | Errno::LOOP if verb != "create" => {
                self.refuse(member, &format!("lies below `{}`, which is no directory", path.display()))
            }
            Errno::EXIST => self.refuse(member, "comes twice"),
            Errno::ISDIR => self.refuse(member, "would replace a directory"),
            Errno::NAMETOOLONG | Errno::INVAL | Errno::NOENT => {
                self.refuse(member, &format!("cannot be created: {}", errno(error)))
            }
            _ => Error::io(verb, self.place(path))(errno(error)),
        }
    }

    fn refuse(&self, member: &Member, problem: &str) -> Error {
        self.members.refuse_member(&member.name, problem)
    }
}

/// A name as a relative path without its first `strip` components; `None` when nothing is left.
fn clean(name: &[u8], strip: usize) -> Result<Option<PathBuf>, &'static str> {
    if name.contains(&0) {
        return Err("has a NUL in its name");
    }
    if name.starts_with(b"/") {
        return Err("has an absolute name");
    }
    let components = || name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    if components().any(|part| part == b"..") {
        return Err("has `..` in its name");
    }
    let path: PathBuf = components().skip(strip).map(OsStr::from_bytes).collect();
    Ok((!bytes(&path).is_empty()).then_some(path))
}

/// A failure of a worker, said as if it had happened here.
fn blame<R: Read>(members: &Members<R>, layout: &Layout, Failure { path, error }: Failure) -> Error {
    let refuse = |problem: &str| members.refuse_member(bytes(&path), problem);
    match Errno::from_io_error(&error) {
        Some(Errno::EXIST) => refuse("comes twice"),
        Some(Errno::NAMETOOLONG | Errno::INVAL) => refuse(&format!("cannot be created: {error}")),
        _ => Error::io("create", layout.place(&path).unwrap_or(path))(error),
    }
}
