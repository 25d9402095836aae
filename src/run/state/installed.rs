//! The record of what one task has installed: enough to see by `lstat` alone whether it is still there.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::cache::codec::{Reader, Writer};

/// What a task has installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Installed {
    pub(crate) tag: String,
    /// False from before the first change until after the last: whatever was interrupted is seen, and done again.
    pub(crate) complete: bool,
    /// The tasks whose files this one may replace.
    pub(crate) overrides: Vec<String>,
    /// In the order of a listing. While incomplete: all that may be there, of the old tag and the new one.
    pub(crate) owned: Vec<Owned>,
}

/// A path that a task has installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    /// From `/`, without the slash.
    pub(crate) path: PathBuf,
    pub(crate) holding: Holding,
}

/// How a task holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// A directory, which may be several tasks', and the mode that this one has for it; 0 where nobody knows. Only if
    /// `created` by one of our tasks does it go when it is empty.
    Directory { created: bool, mode: u32 },
    /// A file or symlink.
    Leaf(Print),
    /// Another task, which overrides this one, has its file there.
    Lost,
    /// A file or symlink that appeared or changed while a task that installs directly was running. Its loss is
    /// noticed; it belongs to nobody, because who made it is not certain.
    Seen(Print),
}

/// By what an installed file or symlink shows that it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Print {
    /// With the type bits of `st_mode`.
    pub(crate) mode: u32,
    pub(crate) size: u64,
    /// Seconds since 1970 and nanoseconds.
    pub(crate) mtime: (i64, u32),
    pub(crate) inode: u64,
}

impl Holding {
    /// Whether it is a directory that one of our tasks made.
    pub(crate) fn is_created(&self) -> bool {
        matches!(self, Holding::Directory { created: true, .. })
    }
}

impl Print {
    pub(crate) fn of(found: &Metadata) -> Print {
        Print {
            mode: found.mode(),
            size: found.len(),
            mtime: (found.mtime(), u32::try_from(found.mtime_nsec()).unwrap_or(0)),
            inode: found.ino(),
        }
    }

    pub(crate) fn of_stat(found: &Stat) -> Print {
        Print {
            mode: found.st_mode,
            size: u64::try_from(found.st_size).unwrap_or(0),
            mtime: (found.st_mtime, u32::try_from(found.st_mtime_nsec).unwrap_or(0)),
            inode: found.st_ino,
        }
    }
}

/// Bytes of a record with many hundred paths.
const LARGE: usize = 64 << 10;

/// A record as it lies in the state, read no further than somebody asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'s> {
    bytes: &'s [u8],
    pub(crate) tag: &'s str,
    pub(crate) complete: bool,
    /// Overrides and owned paths.
    rest: Reader<'s>,
}

impl<'s> Record<'s> {
    pub(super) fn read(bytes: &'s [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Record { bytes, tag: reader.text()?, complete: reader.number()? != 0, rest: reader })
    }

    /// Whether there are so many paths that it pays to look at them in parallel.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() > LARGE
    }

    /// The whole record, if the task overrides any.
    pub(crate) fn overriding(&self) -> Option<Installed> {
        let mut rest = self.rest;
        rest.number().filter(|count| *count > 0).and_then(|_| self.decode())
    }

    pub(crate) fn decode(&self) -> Option<Installed> {
        Installed::decode(self.bytes)
    }

    /// Whether the record has these overrides, and every path in it stands the test. A corrupt record has not.
    pub(crate) fn holds(&self, overrides: &[String], mut test: impl FnMut(&Path, Holding) -> bool) -> bool {
        let mut reader = self.rest;
        let mut holds = || {
            let mut same = reader.number()? == overrides.len() as u64;
            for task in overrides {
                same = same && reader.text()? == task;
            }
            let paths = if same { reader.number()? } else { return Some(false) };
            for _ in 0..paths {
                let (path, holding) = read_owned(&mut reader)?;
                if !test(path, holding) {
                    return Some(false);
                }
            }
            Some(true)
        };
        holds().unwrap_or(false)
    }
}

/// What a record says of a task besides paths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading<'h> {
    pub(crate) tag: &'h str,
    pub(crate) complete: bool,
    pub(crate) overrides: &'h [String],
}

impl Heading<'_> {
    /// Writes a record: tag, completeness, overrides and paths; a path is a letter (`m` directory, `M` if created, `l`
    /// lost, `f`, `s` seen), its bytes and, for a directory, its mode, for `f` and `s` its print.
    pub(super) fn write<'o>(self, owned: impl ExactSizeIterator<Item = (&'o Path, Holding)>, writer: &mut Writer) {
        writer.blob(self.tag.as_bytes()).number(self.complete.into());
        writer.number(self.overrides.len() as u64);
        for task in self.overrides {
            writer.blob(task.as_bytes());
        }
        writer.number(owned.len() as u64);
        owned.for_each(|(path, holding)| write_owned(writer, path, holding));
    }
}

impl Installed {
    pub(super) fn write(&self, writer: &mut Writer) {
        let heading = Heading { tag: &self.tag, complete: self.complete, overrides: &self.overrides };
        heading.write(self.owned.iter().map(|owned| (&*owned.path, owned.holding)), writer);
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Installed> {
        let mut reader = Reader::new(bytes);
        Some(Installed {
            tag: reader.text()?.to_owned(),
            complete: reader.number()? != 0,
            overrides: reader.list(|reader| reader.text().map(str::to_owned))?,
            owned: reader.list(decode_owned)?,
        })
    }
}

fn write_owned(writer: &mut Writer, path: &Path, holding: Holding) {
    let letter = match holding {
        Holding::Directory { created: false, .. } => b'm',
        Holding::Directory { created: true, .. } => b'M',
        Holding::Lost => b'l',
        Holding::Leaf(_) => b'f',
        Holding::Seen(_) => b's',
    };
    writer.number(letter.into()).path(path);
    match holding {
        Holding::Directory { mode, .. } => _ = writer.number(mode.into()),
        Holding::Leaf(Print { mode, size, mtime, inode }) | Holding::Seen(Print { mode, size, mtime, inode }) => {
            writer.number(mode.into()).number(size).time(mtime).number(inode);
        }
        Holding::Lost => {}
    }
}

fn decode_owned(reader: &mut Reader<'_>) -> Option<Owned> {
    read_owned(reader).map(|(path, holding)| Owned { path: path.to_path_buf(), holding })
}

fn read_owned<'s>(reader: &mut Reader<'s>) -> Option<(&'s Path, Holding)> {
    let letter = u8::try_from(reader.number()?).ok()?;
    let path = Path::new(OsStr::from_bytes(reader.blob()?));
    let holding = match letter {
        // As it was written before modes were.
        b'd' | b'D' => Holding::Directory { created: letter == b'D', mode: 0 },
        b'm' | b'M' => Holding::Directory { created: letter == b'M', mode: u32::try_from(reader.number()?).ok()? },
        b'l' => Holding::Lost,
        b'f' => Holding::Leaf(decode_print(reader)?),
        b's' => Holding::Seen(decode_print(reader)?),
        _ => return None,
    };
    Some((path, holding))
}

fn decode_print(reader: &mut Reader<'_>) -> Option<Print> {
    Some(Print {
        mode: u32::try_from(reader.number()?).ok()?,
        size: reader.number()?,
        mtime: reader.time()?,
        inode: reader.number()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let print = Print { mode: 0o104_755, size: u64::MAX, mtime: (-1, 999_999_999), inode: 1 };
        let holdings = [
            Holding::Directory { created: true, mode: 0o755 },
            Holding::Directory { created: false, mode: 0 },
            Holding::Lost,
            Holding::Leaf(print),
            Holding::Seen(print),
        ];
        let owned = |holding| Owned { path: OsStr::from_bytes(b"opt/\xff\n").into(), holding };
        let installed = Installed {
            tag: "shop-zlib-1".into(),
            complete: true,
            overrides: vec!["base".into()],
            owned: holdings.map(owned).into(),
        };
        let mut writer = Writer::default();
        installed.write(&mut writer);
        let bytes = writer.bytes;
        assert_eq!(Installed::decode(&bytes).as_ref(), Some(&installed));
        let record = Record::read(&bytes).unwrap();
        let mut seen = Vec::new();
        assert!(record.holds(&installed.overrides, |path, holding| {
            seen.push(Owned { path: path.into(), holding });
            true
        }));
        assert_eq!((record.tag, record.complete, seen), ("shop-zlib-1", true, installed.owned));
        assert!(!record.holds(&[], |_, _| true));
        assert!(!record.holds(&installed.overrides, |_, _| false));
        let torn = Record::read(&bytes[..bytes.len() - 1]).unwrap();
        assert!(!torn.holds(&installed.overrides, |_, _| true));
    }

    proptest! {
        #[test]
        fn a_record_made_of_anything_is_read_without_harm(bytes: Vec<u8>) {
            let _ = Installed::decode(&bytes);
            let _ = Record::read(&bytes).map(|record| record.holds(&[], |_, _| true));
        }
    }
}
