//! A content that is vetted while it is read: its end is told only when the whole of it is what its name promises.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::name::Name;
use crate::{Digest, artifact_digest};

/// Pieces that wait to be vetted.
const DEPTH: usize = 4;

/// A content from elsewhere. Where it proves to be damaged, reading it ends with an error, so that whoever keeps it does not.
pub(super) struct Vetted<'a> {
    content: &'a mut (dyn Read + Send),
    check: Option<Check>,
    ended: bool,
    damage: Option<String>,
}

impl<'a> Vetted<'a> {
    /// Vets an artifact to be whole. Of other objects nothing is known by their name.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn new(name: &Name, content: &'a mut (dyn Read + Send)) -> io::Result<Self> {
        let check = name.is_artifact().then(Check::start).transpose()?;
        Ok(Self { content, check, ended: false, damage: None })
    }

    /// What is wrong with the content, once that is known.
    pub(super) fn take_damage(&mut self) -> Option<String> {
        self.damage.take()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.ended = true;
        let Some(Err(error)) = self.check.take().map(Check::verdict) else { return Ok(()) };
        self.damage = Some(error.to_string());
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl Read for Vetted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.content.read(buffer)?;
        match (count, &self.check) {
            (0, _) => self.finish()?,
            (_, Some(check)) => check.see(buffer.get(..count).unwrap_or_default()),
            (_, None) => {}
        }
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

    fn verdict(self) -> io::Result<()> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("it could not be vetted"))).map(drop)
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

    fn read(name: &str, mut content: &[u8]) -> (io::Result<usize>, Option<String>) {
        let mut vetted = Vetted::new(&Name::parse(name).unwrap(), &mut content).unwrap();
        let read = vetted.read_to_end(&mut Vec::new());
        (read, vetted.take_damage())
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
        assert_eq!(read("a.tar.gz", &whole).0.unwrap(), whole.len());
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], b"beans", b""] {
            let (read, damage) = read("a.tar.gz", damaged);
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(damage.is_some());
        }
    }

    #[test]
    fn of_other_objects_nothing_is_asked() {
        assert_eq!(read("a.bin", b"beans").0.unwrap(), 5);
    }
}
