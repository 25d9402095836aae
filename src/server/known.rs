//! What is known of objects' content: it was read once, and found whole.
//!
//! An object is read to its end before its first byte is served, once for as long as its file stays the same. What it was
//! found to be is kept in memory, and its SHA-256 beside it as an extended attribute, so that a file that somebody changes
//! behind the server's back is noticed, today or after a restart.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};
use sha2::{Digest as _, Sha256};

use super::digests::{REPR_DIGEST, field};
use super::labels;
use super::name::Name;
use crate::{Digest, artifact_digest};

/// Objects of which something is remembered; as many again that were not asked for lately.
const GENERATION: usize = 40_000;

/// The attribute that holds the SHA-256 of an object's content, as 64 hex digits.
const ATTRIBUTE: &str = "user.cortado.sha256";

/// What an object was found to be. There are many of them in memory, so it is no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The SHA-256 of its bytes.
    pub(super) content: Digest,
    /// An artifact's identity, the SHA-256 of its uncompressed tar.
    pub(super) identity: Option<Digest>,
}

impl Known {
    /// What is said of an object of that name, whatever part of it is sent.
    pub(super) fn headers(&self, name: &Name) -> HeaderMap {
        let mut headers = kind(name);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.extend(HeaderValue::from_bytes(&self.tag()).map(|value| (header::ETAG, value)));
        headers.extend(field(&self.content).map(|value| (REPR_DIGEST, value)));
        labels::add_identity(&mut headers, self.identity);
        headers
    }

    /// Its tag, as `ETag` has it.
    pub(super) fn tag(&self) -> [u8; 66] {
        let mut tag = [b'"'; 66];
        if let Some(digits) = tag.get_mut(1..65) {
            digits.copy_from_slice(&self.content.hex());
        }
        tag
    }
}

/// What is said of any object of that name.
pub(super) fn kind(name: &Name) -> HeaderMap {
    let kind = if name.is_artifact() { "application/gzip" } else { "application/octet-stream" };
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        // A browser must not take an artifact for a page of this server.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ])
}

/// What a file looked like. While it looks like that, its content is taken for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) size: u64,
    inode: (u64, u64),
    modified: (i64, i64),
}

impl Look {
    pub(super) fn at(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { size: found.len(), inode: (found.dev(), found.ino()), modified: (found.mtime(), found.mtime_nsec()) })
    }
}

/// What is remembered of objects: two generations, the older of which goes when the younger is full.
#[derive(Debug, Default)]
pub(super) struct Memory {
    generations: Mutex<[HashMap<Name, (Look, Known)>; 2]>,
}

impl Memory {
    /// What is known of an object that looks like that.
    pub(super) fn recall(&self, name: &Name, look: Look) -> Option<Known> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *generations;
        if let Some((seen, known)) = young.get(name) {
            return (*seen == look).then_some(*known);
        }
        let (seen, known) = old.remove(name)?;
        if seen == look {
            keep(&mut generations, name.clone(), (look, known));
        }
        (seen == look).then_some(known)
    }

    pub(super) fn remember(&self, name: &Name, look: Look, known: Known) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        keep(&mut generations, name.clone(), (look, known));
    }

    /// Notes what an object of so many bytes was found to be while it was stored: here, and beside its file. An object of another
    /// size has come between. What an artifact holds has to be known before it is taken for a whole one.
    pub(super) fn note(&self, name: &Name, file: &File, size: u64, known: Known) {
        let Some(look) = Look::at(file).ok().filter(|look| look.size == size) else { return };
        note(file, known.content);
        if known.identity.is_some() || !name.is_artifact() {
            self.remember(name, look, known);
        }
    }

    pub(super) fn forget(&self, name: &Name) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        for generation in &mut *generations {
            generation.remove(name);
        }
    }
}

fn keep(generations: &mut [HashMap<Name, (Look, Known)>; 2], name: Name, entry: (Look, Known)) {
    let [young, old] = generations;
    if young.len() >= GENERATION {
        *old = std::mem::take(young);
    }
    young.insert(name, entry);
}

/// Reads an object to its end.
///
/// # Errors
/// [`ErrorKind::InvalidData`](io::ErrorKind::InvalidData) when it is not what it was or what it should be: it must not be
/// served. Any other kind when it could not be read.
pub(super) fn examine(name: &Name, file: &File) -> io::Result<Known> {
    let noted = noted(file);
    let mut reader = Hashing { inner: file, hasher: Sha256::new(), trouble: None };
    let identity = name.is_artifact().then(|| artifact_digest(&mut reader)).transpose();
    let drained = io::copy(&mut reader, &mut io::sink());
    if let Some(kind) = reader.trouble {
        return Err(io::Error::new(kind, "it could not be read"));
    }
    drained?;
    let content = Digest::finish(reader.hasher);
    let corrupt = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
    if let Some(noted) = noted.filter(|noted| *noted != content) {
        return Err(corrupt(format!("its SHA-256 is {content}, but {noted} was stored")));
    }
    let identity = identity.map_err(|error| corrupt(error.to_string()))?;
    if noted.is_none() {
        note(file, content);
    }
    Ok(Known { content, identity })
}

/// Notes the SHA-256 of an object beside it. Not every file system can, and what we may only read stays as it is.
fn note(file: &File, content: Digest) {
    _ = fsetxattr(file, ATTRIBUTE, content.to_string().as_bytes(), XattrFlags::empty());
}

/// What was noted of an object when it was stored.
pub(super) fn noted(file: &File) -> Option<Digest> {
    let mut text = [0; 64];
    let length = fgetxattr(file, ATTRIBUTE, &mut text[..]).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.parse().ok()
}

/// Hashes what is read, and tells trouble of the disk from trouble of the content.
struct Hashing<'a> {
    inner: &'a File,
    hasher: Sha256,
    trouble: Option<io::ErrorKind>,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.hasher.update(buffer.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(error) => {
                self.trouble = Some(error.kind());
                Err(error)
            }
        }
    }
}
