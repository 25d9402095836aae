//! Wholeness: whether an artifact is all there, without unpacking it.

use std::io::{self, Read};

use crate::host::gzip::{self, Seal};
use crate::model::Digest;

/// Reads an artifact to its end, and tells its identity: the SHA-256 of the uncompressed tar.
///
/// Everything is checked that unpacking it would check of its bytes: each member's CRC, the end of the tar, and the digest
/// that an artifact of ours promises (`docs/format.md`). Nothing is written.
///
/// # Errors
/// When it cannot be read, or is no whole `.tar.gz`.
pub fn artifact_digest(content: impl Read + Send) -> io::Result<Digest> {
    seal(content).map(|seal| seal.digest)
}

/// Reads an artifact to its end, with the same checks, and tells all that it says of itself.
pub(super) fn seal(content: impl Read + Send) -> io::Result<Seal> {
    let mut reader = gzip::Reader::new(content, 0)?;
    for member in tar::Archive::new(&mut reader).entries()? {
        io::copy(&mut member?, &mut io::sink())?;
    }
    io::copy(&mut reader, &mut io::sink())?;
    reader.seal().ok_or_else(|| io::Error::other("it was not read to its end"))
}
