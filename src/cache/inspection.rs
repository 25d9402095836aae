//! The inspection: what is in an artifact, found out by reading it, without unpacking anything.

use std::io::{self, Read};

use anyhow::Context;
use serde::Serialize;

use crate::host::gzip;
use crate::model::{Digest, Signature};

/// What an artifact holds, and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// SHA-256 of the uncompressed tar: the artifact's identity.
    pub digest: Digest,
    /// Who has signed it, and whether that is true.
    pub signed: Signed,
    /// Bytes of the content of its files.
    pub content: u64,
    /// Its members, in their order.
    pub members: Vec<PackedMember>,
}

/// Whether an artifact is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "signer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signed {
    /// By nobody.
    No,
    /// By the holder of this public key.
    By(String),
    /// Somebody says so who has not this key, or has signed something else.
    Wrongly(String),
}

/// A member of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackedMember {
    /// Its path below the stage.
    pub path: String,
    /// `file`, `directory`, `symlink`, `hard link`.
    pub kind: &'static str,
    /// Permission bits.
    pub mode: u32,
    /// Bytes of its content.
    pub size: u64,
    /// What a link points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Reads an artifact to its end. `tag` is what its signature has to be for.
///
/// # Errors
/// When it is no whole artifact, or reading it fails.
pub fn inspect(tag: &str, artifact: impl Read + Send) -> anyhow::Result<Inspection> {
    let mut reader = gzip::Reader::new(artifact, 0)?;
    let members = members(&mut reader).context("it is no whole artifact")?;
    io::copy(&mut reader, &mut io::sink()).context("it is no whole artifact")?;
    let seal = reader.seal().context("it was not read to its end")?;
    let signed = seal.signature.map_or(Signed::No, |signature| signed(tag, &seal.digest, &signature));
    let content = members.iter().map(|member| member.size).sum();
    Ok(Inspection { digest: seal.digest, signed, content, members })
}

fn members(reader: &mut impl Read) -> io::Result<Vec<PackedMember>> {
    let mut members = Vec::new();
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let target = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        let (mode, kind) = (entry.header().mode()?, kind(entry.header().entry_type()));
        let size = io::copy(&mut entry, &mut io::sink())?;
        members.push(PackedMember { path, kind, mode, size, target });
    }
    Ok(members)
}

fn kind(kind: tar::EntryType) -> &'static str {
    match kind {
        tar::EntryType::Directory => "directory",
        tar::EntryType::Symlink => "symlink",
        tar::EntryType::Link => "hard link",
        _ => "file",
    }
}

#[cfg(feature = "signing")]
fn signed(tag: &str, digest: &Digest, signature: &Signature) -> Signed {
    match super::signing::signer(tag, digest, signature) {
        Some(key) => Signed::By(key.to_string()),
        None => Signed::Wrongly(hex::encode(signature.signer)),
    }
}

#[cfg(not(feature = "signing"))]
fn signed(_tag: &str, _digest: &Digest, signature: &Signature) -> Signed {
    Signed::Wrongly(hex::encode(signature.signer))
}
