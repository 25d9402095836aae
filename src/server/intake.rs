//! The intake: the content of an upload, read by a blocking thread while it arrives, and held against what was promised.
//!
//! A store publishes an object when its content has come to its end. So the end is not told before length and digests have
//! been checked: whatever is wrong is an error of the content, and nothing of it is kept.

use std::io::{self, Read};
use std::time::Instant;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::StatusCode;
use futures_core::Stream;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::digests::Promises;
use super::pace::Pace;
use super::problem::Problem;
use crate::Digest;

/// Parts that wait between the network and the disk.
const DEPTH: usize = 4;

/// A part of a content, or its end with the digest of all; else why there is no more.
type Part = Result<Piece, Problem>;

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End(Digest),
}

/// What was promised of a content, and how much of it there may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    /// Its size in bytes.
    pub(super) size: Option<u64>,
    /// The most bytes that there may be.
    pub(super) limit: u64,
    pub(super) promises: Promises,
    /// What is kept before the content, in the same object. It counts into neither size nor digests.
    pub(super) preface: Bytes,
}

/// The blocking side of an upload.
#[derive(Debug)]
pub(super) struct Intake {
    source: Source,
    current: Bytes,
    terms: Terms,
    size: u64,
    /// Why it failed, for the client.
    problem: Option<Problem>,
    /// The digest of all, at its end.
    digest: Option<Digest>,
}

#[derive(Debug)]
enum Source {
    Whole(Digest),
    Parts(mpsc::Receiver<Part>),
}

impl Intake {
    /// A content that is there already.
    pub(super) fn whole(content: Bytes, terms: Terms) -> Self {
        Self::new(Source::Whole(Digest::of(&content)), content, terms)
    }

    /// A content that arrives, with the side that brings it.
    pub(super) fn arriving(terms: Terms) -> (Supply, Self) {
        let (sender, receiver) = mpsc::channel(DEPTH);
        (Supply(sender), Self::new(Source::Parts(receiver), Bytes::new(), terms))
    }

    fn new(source: Source, current: Bytes, terms: Terms) -> Self {
        Self { source, current, terms, size: 0, problem: None, digest: None }
    }

    /// The SHA-256 of the content, once it has been read to its end and was what it should be.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The bytes that have been read.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Why the content is not taken, if it is the client's fault.
    pub(super) fn take_problem(&mut self) -> Option<Problem> {
        self.problem.take()
    }

    /// Waits for the next part.
    fn advance(&mut self) -> Part {
        match &mut self.source {
            Source::Whole(digest) => Ok(Piece::End(*digest)),
            Source::Parts(parts) => {
                parts.blocking_recv().unwrap_or_else(|| Err(Problem::bad_request("the body broke off")))
            }
        }
    }

    fn accept(&mut self, bytes: usize) -> Result<(), Problem> {
        self.size += bytes as u64;
        match self.terms.size {
            _ if self.size > self.terms.limit => Err(Problem::too_large(self.terms.limit)),
            Some(size) if self.size > size => Err(Problem::bad_request("the body is longer than it was said to be")),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, digest: Digest) -> Result<(), Problem> {
        if let Some(size) = self.terms.size.filter(|size| *size != self.size) {
            return Err(Problem::bad_request(format!("the body has {} bytes instead of {size}", self.size)));
        }
        self.terms.promises.check(&digest)?;
        self.digest = Some(digest);
        Ok(())
    }

    fn step(&mut self, buffer: &mut [u8]) -> Result<usize, Problem> {
        if !self.terms.preface.is_empty() {
            return Ok(move_into(buffer, &mut self.terms.preface));
        }
        while self.current.is_empty() {
            match self.advance()? {
                Piece::Bytes(part) => self.current = part,
                Piece::End(digest) => return self.finish(digest).map(|()| 0),
            }
        }
        self.accept(buffer.len().min(self.current.len()))?;
        Ok(move_into(buffer, &mut self.current))
    }
}

/// Moves as many bytes as there is room for.
fn move_into(buffer: &mut [u8], bytes: &mut Bytes) -> usize {
    let part = bytes.split_to(buffer.len().min(bytes.len()));
    if let Some(room) = buffer.get_mut(..part.len()) {
        room.copy_from_slice(&part);
    }
    part.len()
}

impl Read for Intake {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.digest.is_some() {
            return Ok(0);
        }
        self.step(buffer).map_err(|problem| {
            self.problem = Some(problem);
            io::Error::new(io::ErrorKind::UnexpectedEof, "the upload was not what it should be")
        })
    }
}

/// The asynchronous side of an upload.
#[derive(Debug)]
pub(super) struct Supply(mpsc::Sender<Part>);

impl Supply {
    /// Hands on a body as it arrives, until nobody wants any more of it. It is hashed while what comes next arrives and
    /// what came before is written: hashing takes longer than either.
    pub(super) async fn bring(self, body: Body, mut pace: Pace) {
        let (hasher, digest) = hasher();
        let mut parts = body.into_data_stream();
        let end = loop {
            match next(&mut parts, &mut pace).await {
                Ok(Some(bytes)) => {
                    // The hasher takes whatever comes, until it is told that nothing does.
                    _ = hasher.send(bytes.clone()).await;
                    if self.0.send(Ok(Piece::Bytes(bytes))).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break Ok(()),
                Err(problem) => break Err(problem),
            }
        };
        drop(hasher);
        let broken = |_| Problem::bad_request("the body broke off");
        let end = match end {
            Ok(()) => digest.await.map(Piece::End).map_err(broken),
            Err(problem) => Err(problem),
        };
        _ = self.0.send(end).await;
    }
}

/// Hashes what it is sent, beside everything else.
fn hasher() -> (mpsc::Sender<Bytes>, JoinHandle<Digest>) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(DEPTH);
    let digest = tokio::spawn(async move {
        let mut hasher = Sha256::new();
        while let Some(bytes) = receiver.recv().await {
            hasher.update(&bytes);
        }
        Digest::finish(hasher)
    });
    (sender, digest)
}

/// Reads a short body into memory.
///
/// # Errors
/// 413 above `limit` bytes, 408 when it stalls or drips, 400 when it breaks off.
pub(super) async fn collect(body: Body, limit: usize, mut pace: Pace) -> Result<Bytes, Problem> {
    let mut parts = body.into_data_stream();
    let mut whole = match next(&mut parts, &mut pace).await? {
        None => return Ok(Bytes::new()),
        Some(first) => first,
    };
    if whole.len() <= limit
        && let Some(second) = next(&mut parts, &mut pace).await?
    {
        let mut all = whole.to_vec();
        all.extend_from_slice(&second);
        while all.len() <= limit
            && let Some(part) = next(&mut parts, &mut pace).await?
        {
            all.extend_from_slice(&part);
        }
        whole = all.into();
    }
    if whole.len() > limit { Err(Problem::too_large(limit as u64)) } else { Ok(whole) }
}

/// What a short body says as JSON.
///
/// # Errors
/// As [`collect`], and 400 when it says something else.
pub(super) async fn question<T: DeserializeOwned>(body: Body, limit: usize, pace: Pace) -> Result<T, Problem> {
    let text = collect(body, limit, pace).await?;
    serde_json::from_slice(&text).map_err(|error| Problem::bad_request(format!("the question is not one: {error}")))
}

/// The next part of a body; `None` at its end.
///
/// # Errors
/// 408 when it is too slow, 400 when it breaks off.
pub(super) async fn next(parts: &mut BodyDataStream, pace: &mut Pace) -> Result<Option<Bytes>, Problem> {
    let part = std::future::poll_fn(|context| std::pin::Pin::new(&mut *parts).poll_next(context));
    let since = Instant::now();
    match timeout(pace.patience(), part).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(part))) if pace.keeps(since.elapsed(), part.len() as u64) => Ok(Some(part)),
        Ok(Some(Ok(_))) => Err(too_slow("the body arrives too slowly")),
        Ok(Some(Err(_))) => Err(Problem::bad_request("the body broke off")),
        Err(_) => Err(too_slow("the body stopped arriving")),
    }
}

fn too_slow(detail: &'static str) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}
