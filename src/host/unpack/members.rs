//! The members of a tar stream: headers, GNU long names and PAX records in, one plain value per member out.
//!
//! It reads what others wrote, so every size is bounded before it is believed, and whatever a member may not be
//! (device, fifo, sparse file) ends the reading. It creates nothing.

use std::io::Read;

use tar::{EntryType, Header};

use super::{Limits, Profile};
use crate::error::{Error, Result};
use crate::host::pax;

/// Bytes of one tar block.
const BLOCK: usize = 512;

/// The largest GNU name or PAX header that is read; real ones have some hundred bytes.
const LARGEST_RECORDS: u64 = 1 << 20;

/// The members of the tar stream `R`, in order.
pub(super) struct Members<'a, R> {
    input: R,
    archive: &'a str,
    profile: Profile,
    limits: Limits,
    /// Bytes of the current member's content, and of the padding after it, that were not read yet.
    content: u64,
    padding: u64,
    /// Headers and bytes so far.
    headers: u64,
    bytes: u64,
}

/// One member: a path and what shall be there.
#[derive(Debug)]
pub(super) struct Member {
    /// As written in the archive, unchecked.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// At most `0o7777`.
    pub(super) mode: u32,
    /// Seconds since 1970 and nanoseconds.
    pub(super) mtime: (i64, u32),
}

/// What a member is.
#[derive(Debug)]
pub(super) enum Kind {
    Directory,
    /// Its content is read with [`Members::read`].
    File,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
}

/// What the headers before a member say about it, over its own header.
#[derive(Default)]
struct Overrides {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    mtime: Option<(i64, u32)>,
}

impl<'a, R: Read> Members<'a, R> {
    pub(super) fn new(input: R, archive: &'a str, profile: Profile, limits: Limits) -> Self {
        Self { input, archive, profile, limits, content: 0, padding: 0, headers: 0, bytes: 0 }
    }

    /// Passes over what is left of the current member and reads the next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut overrides = None;
        while let Some(header) = self.next_header()? {
            let size = header.entry_size().map_err(|error| self.refuse(error))?;
            match header.entry_type() {
                EntryType::XGlobalHeader => self.pass_global(size)?,
                EntryType::XHeader => self.read_pax(size, overrides.get_or_insert_default())?,
                EntryType::GNULongName => {
                    overrides.get_or_insert_default().name = Some(self.read_long_name(size)?);
                }
                EntryType::GNULongLink => {
                    overrides.get_or_insert_default().link = Some(self.read_long_name(size)?);
                }
                _ => return self.member(&header, size, overrides.unwrap_or_default()).map(Some),
            }
        }
        match overrides {
            Some(_) => Err(self.truncated()),
            None => Ok(None),
        }
    }

    /// Reads some of the current file's content; 0 when all of it was read.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.content).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.read_some(&mut buffer[..wanted])?;
        self.content -= count as u64;
        if count == 0 { Err(self.truncated()) } else { Ok(count) }
    }

    /// Fills `content`, which may be no longer than what is left of the current file.
    pub(super) fn read_exact(&mut self, mut content: &mut [u8]) -> Result<()> {
        while !content.is_empty() {
            match self.read(content)? {
                0 => return Err(self.truncated()),
                count => content = &mut content[count..],
            }
        }
        Ok(())
    }

    /// How much of the current file's content is left to be read.
    pub(super) fn left(&self) -> u64 {
        self.content
    }

    /// Reads the stream to its true end, so that whatever lies under it can check itself.
    pub(super) fn finish(&mut self) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = self.read_some(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            if self.profile == Profile::Artifact && buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(self.refuse("data follows its end"));
            }
        }
    }

    /// An error about the archive as a whole.
    pub(super) fn refuse(&self, problem: impl ToString) -> Error {
        Error::Archive { archive: self.archive.to_owned(), problem: problem.to_string() }
    }

    /// An error about one member.
    pub(super) fn refuse_member(&self, name: &[u8], problem: &str) -> Error {
        self.refuse(format!("member `{}` {problem}", String::from_utf8_lossy(name).escape_debug()))
    }

    fn truncated(&self) -> Error {
        self.refuse("it is truncated")
    }

    /// The next header that is not empty; `None` at the end of the tar.
    fn next_header(&mut self) -> Result<Option<Header>> {
        self.skip()?;
        let mut header = Header::new_old();
        let count = self.read_block(header.as_mut_bytes())?;
        if count == 0 && self.profile == Profile::Source {
            // Tars without an end marker exist, and a source's checksum has said already that this is all of it.
            return Ok(None);
        }
        if count < BLOCK {
            return Err(self.truncated());
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        self.count_header(&header)?;
        Ok(Some(header))
    }

    fn count_header(&mut self, header: &Header) -> Result<()> {
        let (sum, rest) = (header.as_old().cksum, header.as_bytes());
        let others = rest.iter().chain([&b' '; 8]).map(|byte| u32::from(*byte)).sum::<u32>();
        let expected = others - sum.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        if !header.cksum().is_ok_and(|sum| sum == expected) {
            return Err(self.refuse("it is not a tar, or damaged: a header has a wrong checksum"));
        }
        self.headers += 1;
        if self.headers > self.limits.entries {
            return Err(self.refuse(format!("it has more than {} members", self.limits.entries)));
        }
        Ok(())
    }

    fn member(&mut self, header: &Header, size: u64, overrides: Overrides) -> Result<Member> {
        let name = overrides.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = overrides.link.or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        let link = link.unwrap_or_default();
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Regular if name.ends_with(b"/") => Kind::Directory,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Symlink => Kind::Symlink(link),
            EntryType::Link => Kind::HardLink(link),
            other => return Err(self.refuse_member(&name, &format!("is a {}", unwanted(other)))),
        };
        self.begin(&name, &kind, overrides.size.unwrap_or(size))?;
        let mode = header.mode().map_err(|error| self.refuse_member(&name, &error.to_string()))? & 0o7777;
        let mtime = overrides.mtime.unwrap_or_else(|| (header.mtime().map_or(0, |at| at.cast_signed()), 0));
        Ok(Member { name, kind, mode, mtime })
    }

    /// Expects `size` bytes of content.
    fn begin(&mut self, name: &[u8], kind: &Kind, size: u64) -> Result<()> {
        if size > self.limits.bytes.saturating_sub(self.bytes) {
            return Err(self.refuse_member(name, &format!("makes it larger than {} bytes", self.limits.bytes)));
        }
        if size > 0 && !matches!(kind, Kind::File) {
            return Err(self.refuse_member(name, "has content but is no file"));
        }
        self.content = size;
        self.padding = pax::padding(size);
        Ok(())
    }

    /// Global records concern owners and comments (`git archive` writes its commit); nothing that may move a member.
    fn pass_global(&mut self, size: u64) -> Result<()> {
        let content = self.read_records(size)?;
        let records = pax::parse(&content).ok_or_else(|| self.refuse("a PAX header is malformed"))?;
        let moving = |key: &[u8]| matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.");
        match records.iter().find(|(key, _)| moving(key)) {
            Some((key, _)) => {
                let key = String::from_utf8_lossy(key);
                Err(self.refuse(format!("a global PAX header sets `{key}` for all members")))
            }
            None => Ok(()),
        }
    }

    fn read_pax(&mut self, size: u64, overrides: &mut Overrides) -> Result<()> {
        let content = self.read_records(size)?;
        let malformed = || self.refuse("a PAX header is malformed");
        for (key, value) in pax::parse(&content).ok_or_else(malformed)? {
            match key {
                b"path" => overrides.name = Some(value.to_vec()),
                b"linkpath" => overrides.link = Some(value.to_vec()),
                b"size" => overrides.size = Some(pax::number(value).ok_or_else(malformed)?),
                b"mtime" => overrides.mtime = Some(time(value).ok_or_else(malformed)?),
                _ => self.check_record(key)?,
            }
        }
        Ok(())
    }

    /// Refuses records whose loss would change a member.
    fn check_record(&self, key: &[u8]) -> Result<()> {
        let attribute = [b"SCHILY.xattr.".as_slice(), b"SCHILY.acl.", b"LIBARCHIVE.xattr."]
            .iter()
            .any(|prefix| key.starts_with(prefix));
        if key.starts_with(b"GNU.sparse.") || attribute && self.profile == Profile::Artifact {
            let key = String::from_utf8_lossy(key);
            return Err(self.refuse(format!("a member has the PAX record `{key}`, which cannot be unpacked")));
        }
        Ok(())
    }

    fn read_long_name(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut name = self.read_records(size)?;
        name.pop_if(|last| *last == 0);
        Ok(name)
    }

    fn read_records(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LARGEST_RECORDS {
            return Err(self.refuse(format!("a name or PAX header is larger than {LARGEST_RECORDS} bytes")));
        }
        let mut content = vec![0; size as usize];
        if self.read_block(&mut content)? < content.len() {
            return Err(self.truncated());
        }
        self.padding = pax::padding(size);
        Ok(content)
    }

    /// Passes over the rest of the current member.
    fn skip(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        while self.read(&mut buffer)? > 0 {}
        let padding = std::mem::take(&mut self.padding) as usize;
        if self.read_block(&mut buffer[..padding])? < padding { Err(self.truncated()) } else { Ok(()) }
    }

    /// Fills `block` as far as there is data.
    fn read_block(&mut self, block: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < block.len() {
            match self.read_some(&mut block[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = loop {
            match self.input.read(buffer) {
                Ok(count) => break count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.refuse(error)),
            }
        };
        self.bytes += count as u64;
        if self.bytes > self.limits.bytes {
            return Err(self.refuse(format!("it is larger than {} bytes", self.limits.bytes)));
        }
        Ok(count)
    }
}

fn unwanted(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "fifo",
        EntryType::GNUSparse => "sparse file",
        _ => "member of unknown kind",
    }
}

/// PAX times are decimal seconds with an optional fraction.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let (digits, negative) = value.strip_prefix(b"-").map_or((value, false), |digits| (digits, true));
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, [].as_slice()),
    };
    let seconds: i64 = pax::number(whole)?;
    let mut nanoseconds = [b'0'; 9];
    let count = fraction.len().min(9);
    nanoseconds[..count].copy_from_slice(&fraction[..count]);
    match (negative, pax::number(&nanoseconds)?) {
        (false, nanoseconds) => Some((seconds, nanoseconds)),
        (true, 0) => Some((-seconds, 0)),
        (true, nanoseconds) => Some((-seconds - 1, 1_000_000_000 - nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_have_fractions_and_signs() {
        assert_eq!(time(b"12"), Some((12, 0)));
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"12.1234567899"), Some((12, 123_456_789)));
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"-3"), Some((-3, 0)));
        for wrong in [b"".as_slice(), b"x", b"1.x", b"--1", b"99999999999999999999"] {
            assert_eq!(time(wrong), None);
        }
    }
}
