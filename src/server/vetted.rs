//! A content that is vetted while it is read: its end is told only when the whole of it is what its name promises. What it is
//! found to be need not be found out again.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use super::bazel;
use super::known::Known;
use super::name::Name;
use crate::{Digest, artifact_digest};

/// Pieces that wait to be vetted.
const DEPTH: usize = 4;

/// A content from elsewhere. Where it proves to be damaged, reading it ends with an error, so that whoever keeps it does not.
pub(super) struct Vetted<'a> {
    content: &'a mut (dyn Read + Send),
    hasher: Sha256,
    /// The SHA-256 that the name promises.
    promised: Option<Digest>,
    check: Option<Check>,
    size: u64,
    /// What came of it, at the end.
    verdict: Option<Result<Known, String>>,
}

impl<'a> Vetted<'a> {
    /// Vets an artifact to be whole, and a content of Bazel to have its digest. Of other objects nothing is known by their name.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn new(name: &Name, content: &'a mut (dyn Read + Send)) -> io::Result<Self> {
        let check = name.is_artifact().then(Check::start).transpose()?;
        Ok(Self { content, hasher: Sha256::new(), promised: bazel::promised_by(name), check, size: 0, verdict: None })
    }

    /// The bytes that have been read.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What the content is, or what is wrong with it; `None` before its end.
    pub(super) fn verdict(self) -> Option<Result<Known, String>> {
        self.verdict
    }

    fn finish(&mut self) -> io::Result<()> {
        let content = Digest::finish(std::mem::take(&mut self.hasher));
        let identity = self.check.take().map(Check::verdict).transpose();
        let verdict = match (identity, self.promised.filter(|promised| *promised != content)) {
            (Err(error), _) => Err(error.to_string()),
            (_, Some(_)) => Err(format!("its SHA-256 is {content}")),
            (Ok(identity), None) => Ok(Known { content, identity }),
        };
        let told = verdict.as_ref().err().map(|problem| io::Error::new(io::ErrorKind::InvalidData, problem.clone()));
        self.verdict = Some(verdict);
        told.map_or(Ok(()), Err)
    }
}

impl Read for Vetted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.verdict.is_some() || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.content.read(buffer)?;
        if count == 0 {
            self.finish()?;
            return Ok(0);
        }
        let piece = buffer.get(..count).unwrap_or_default();
        if let Some(check) = &self.check {
            check.see(piece);
        }
        self.hasher.update(piece);
        self.size += count as u64;
        Ok(count)
    }
}

/// The thread that reads an artifact's members.
struct Check {
    pieces: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<Digest>>,
}

impl Check {
    fn start() -> io::Result<Self> {
        let (pieces, received) = sync_channel(DEPTH);
        let pieced = Pieced { received, current: io::Cursor::default() };
        let thread = thread::Builder::new().name("vetting".into()).spawn(move || artifact_digest(pieced))?;
        Ok(Self { pieces, thread })
    }

    fn see(&self, piece: &[u8]) {
        // A thread that has gone has found what it was looking for.
        _ = self.pieces.send(piece.to_vec());
    }

    fn verdict(self) -> io::Result<Digest> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("it could not be vetted")))
    }
}

/// Pieces as one content.
struct Pieced {
    received: Receiver<Vec<u8>>,
    current: io::Cursor<Vec<u8>>,
}

impl Read for Pieced {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.received.recv() {
                Ok(piece) => self.current = io::Cursor::new(piece),
                Err(_) => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(name: &str, mut content: &[u8]) -> (io::Result<usize>, Result<Known, String>) {
        let mut vetted = Vetted::new(&Name::parse_any(name).unwrap(), &mut content).unwrap();
        let read = vetted.read_to_end(&mut Vec::new());
        (read, vetted.verdict().unwrap())
    }

    fn artifact() -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(300_000);
        tar.append_data(&mut header, "beans", &vec![7; 300_000][..]).unwrap();
        gzip.write_all(&tar.into_inner().unwrap()).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn a_whole_artifact_ends_and_half_of_one_does_not() {
        let whole = artifact();
        let (content, identity) = (Digest::of(&whole), Some(artifact_digest(&whole[..]).unwrap()));
        let (count, known) = read("a.tar.gz", &whole);
        assert_eq!((count.unwrap(), known), (whole.len(), Ok(Known { content, identity })));
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], b"beans", b""] {
            let (read, verdict) = read("a.tar.gz", damaged);
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(verdict.is_err());
        }
    }

    #[test]
    fn a_content_of_bazel_has_its_digest() {
        let name = format!("bazel~cas~2f{}", Digest::of("beans"));
        assert_eq!(read(&name, b"beans").1, Ok(Known { content: Digest::of("beans"), identity: None }));
        assert_eq!(read(&name, b"bones").0.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn of_other_objects_nothing_is_asked() {
        for name in ["a.bin", "bazel~ac~2f00", "gradle~cas~2f00"] {
            assert_eq!(read(name, b"beans").0.unwrap(), 5);
        }
    }
}
