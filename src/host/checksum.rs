//! Hashing of streams and files: several digests in one pass, always SHA-256 among them, and the check of what was
//! found against what a recipe promises.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Result};
use crate::model::{Algorithm, Checksum, Digest};

/// What a stream turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its SHA-256.
    pub(crate) sha256: Digest,
    /// The other digests that were asked for, in hex.
    others: Vec<(Algorithm, String)>,
}

impl Found {
    /// The digest by one algorithm, in hex, when that was computed.
    pub(crate) fn hex(&self, algorithm: Algorithm) -> Option<String> {
        match algorithm {
            Algorithm::Sha256 => Some(self.sha256.to_string()),
            _ => self.others.iter().find(|(other, _)| *other == algorithm).map(|(_, hex)| hex.clone()),
        }
    }

    /// Whether this is what the checksum promises.
    pub(crate) fn is(&self, checksum: &Checksum) -> bool {
        self.hex(checksum.algorithm()).is_some_and(|hex| hex == checksum.hex())
    }

    /// An error naming both values unless this is what the checksum promises; `what` is where the stream came from.
    pub(crate) fn verify(&self, checksum: &Checksum, what: &str) -> Result<()> {
        if self.is(checksum) {
            return Ok(());
        }
        Err(Error::Checksum {
            what: what.to_owned(),
            algorithm: checksum.algorithm().name(),
            expected: checksum.hex().to_owned(),
            found: self.hex(checksum.algorithm()).unwrap_or_default(),
        })
    }
}

/// The digests of a file by SHA-256 and `algorithms`.
pub(crate) fn of_file(path: &Path, algorithms: &[Algorithm]) -> Result<Found> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    of_reader(file, algorithms).map_err(Error::io("read", path))
}

/// The digests of all that a reader yields.
pub(crate) fn of_reader(mut reader: impl Read, algorithms: &[Algorithm]) -> io::Result<Found> {
    let mut hasher = Hasher::new(algorithms);
    let mut buffer = vec![0; 128 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes bytes, gives their digests. It is a writer, so that a copy can feed it on the way.
#[derive(Debug)]
pub(crate) struct Hasher {
    size: u64,
    sha256: Sha256,
    others: Vec<Other>,
}

#[derive(Debug)]
enum Other {
    Md5(Md5),
    Sha1(Sha1),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher for SHA-256 and `algorithms`.
    pub(crate) fn new(algorithms: &[Algorithm]) -> Self {
        Self { size: 0, sha256: Sha256::new(), others: algorithms.iter().filter_map(Other::new).collect() }
    }

    /// Takes some more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.sha256.update(bytes);
        for other in &mut self.others {
            other.update(bytes);
        }
    }

    /// The digests of everything taken.
    pub(crate) fn finish(self) -> Found {
        let others = self.others.into_iter().map(Other::finish).collect();
        Found { size: self.size, sha256: Digest::finish(self.sha256), others }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Other {
    fn new(algorithm: &Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Md5 => Some(Self::Md5(Md5::new())),
            Algorithm::Sha1 => Some(Self::Sha1(Sha1::new())),
            Algorithm::Sha512 => Some(Self::Sha512(Sha512::new())),
            Algorithm::Sha256 => None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> (Algorithm, String) {
        match self {
            Self::Md5(hasher) => (Algorithm::Md5, hex::encode(hasher.finalize())),
            Self::Sha1(hasher) => (Algorithm::Sha1, hex::encode(hasher.finalize())),
            Self::Sha512(hasher) => (Algorithm::Sha512, hex::encode(hasher.finalize())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_gives_every_digest() {
        let found = of_reader("abc".as_bytes(), &Algorithm::ALL).unwrap();
        assert_eq!(found.size, 3);
        assert_eq!(found.sha256, Digest::of("abc"));
        assert_eq!(found.hex(Algorithm::Md5).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(found.hex(Algorithm::Sha1).unwrap(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(found.hex(Algorithm::Sha512).unwrap().starts_with("ddaf35a193617aba"));
    }

    #[test]
    fn a_wrong_checksum_names_both_values() {
        let promised = Checksum::new(Algorithm::Md5, &"0".repeat(32)).unwrap();
        let found = of_reader("abc".as_bytes(), &[Algorithm::Md5]).unwrap();
        assert_eq!(
            found.verify(&promised, "a.tar").unwrap_err().to_string(),
            "a.tar: wrong md5: expected 00000000000000000000000000000000, found 900150983cd24fb0d6963f7d28e17f72"
        );
    }

    #[test]
    fn a_digest_that_was_not_computed_never_matches() {
        let promised = Checksum::new(Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72").unwrap();
        assert!(!of_reader("abc".as_bytes(), &[]).unwrap().is(&promised));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = of_file(Path::new("/nonexistent/file"), &[]).unwrap_err();
        assert!(error.to_string().starts_with("could not open `/nonexistent/file`"), "{error}");
    }
}
