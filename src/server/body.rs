//! Bodies of answers: objects, as they are read.

use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::buffers::{Buffer, Transfer, Transfers};

/// Up to that size, a content is sent with its head.
const SMALL: u64 = 64 << 10;

/// A part of a file. What lies in the page cache is read on the spot, everything else by a thread that may wait.
#[derive(Debug)]
struct FileBody {
    file: Arc<File>,
    left: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    transfer: Transfer,
}

/// The bytes of a file, or an error if it became shorter.
pub(super) fn of_file(file: File, part: Range<u64>, transfers: &Transfers) -> Body {
    let size = part.end - part.start;
    let transfer = transfers.begin();
    if size <= SMALL
        && let Ok(Some(bytes)) = read_cached(&file, part.start, transfer.buffer(size))
        && bytes.len() as u64 == size
    {
        return bytes.into();
    }
    Body::new(FileBody { file: Arc::new(file), left: part, reading: None, transfer })
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        let bytes = ready!(this.poll_read(context));
        Poll::Ready(Some(bytes.map(|bytes| {
            this.left.start += bytes.len() as u64;
            Frame::data(bytes)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end - self.left.start)
    }
}

impl FileBody {
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let (offset, size) = (self.left.start, self.left.end - self.left.start);
        if self.reading.is_none()
            && let Some(bytes) = read_cached(&self.file, offset, self.transfer.buffer(size))?
        {
            return Poll::Ready(Ok(bytes));
        }
        let (file, transfer) = (&self.file, &self.transfer);
        let reading = self.reading.get_or_insert_with(|| {
            let (file, buffer) = (file.clone(), transfer.buffer(size));
            spawn_blocking(move || read(&file, offset, buffer))
        });
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        Poll::Ready(read.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

/// The first bytes of a file, at most that many.
pub(super) async fn beginning(file: &File, transfer: &Transfer, most: u64) -> io::Result<Bytes> {
    if let Some(bytes) = read_cached(file, 0, transfer.buffer(most))? {
        return Ok(bytes);
    }
    let (file, buffer) = (file.try_clone()?, transfer.buffer(most));
    spawn_blocking(move || read(&file, 0, buffer)).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Reads what is in the page cache; `None` when nothing is, or the file system cannot tell.
fn read_cached(file: &File, offset: u64, mut buffer: Buffer) -> io::Result<Option<Bytes>> {
    let room = buffer.as_mut();
    let wanted = room.len();
    match preadv2(file, &mut [IoSliceMut::new(room)], offset, ReadWriteFlags::NOWAIT) {
        Ok(0) if wanted > 0 => Err(cut()),
        Ok(count) => Ok(Some(buffer.filled(count))),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read(file: &File, offset: u64, mut buffer: Buffer) -> io::Result<Bytes> {
    match file.read_at(buffer.as_mut(), offset)? {
        0 => Err(cut()),
        count => Ok(buffer.filled(count)),
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the object became shorter")
}

/// Whatever a blocking reader gives, to its end. Memory is bounded: a chunk is read when the one before was taken.
pub(super) fn of_reader(content: Box<dyn Read + Send>, transfers: &Transfers) -> Body {
    Body::new(ReaderBody { content: Some(content), reading: None, transfer: transfers.begin() })
}

/// A chunk, with the reader that it came from.
type Reading = JoinHandle<io::Result<(Bytes, Box<dyn Read + Send>)>>;

struct ReaderBody {
    content: Option<Box<dyn Read + Send>>,
    reading: Option<Reading>,
    transfer: Transfer,
}

impl http_body::Body for ReaderBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(content) = this.content.take() {
            let buffer = this.transfer.buffer(u64::MAX);
            this.reading = Some(spawn_blocking(move || read_some(content, buffer)));
        }
        let Some(reading) = &mut this.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(context));
        this.reading = None;
        Poll::Ready(match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok((bytes, _)) if bytes.is_empty() => None,
            Ok((bytes, content)) => {
                this.content = Some(content);
                Some(Ok(Frame::data(bytes)))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

fn read_some(mut content: Box<dyn Read + Send>, mut buffer: Buffer) -> io::Result<(Bytes, Box<dyn Read + Send>)> {
    let mut filled = 0;
    while let Some(room) = buffer.as_mut().get_mut(filled..).filter(|room| !room.is_empty()) {
        match content.read(room) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((buffer.filled(filled), content))
}

/// What somebody else writes, batch by batch; an error breaks it off.
#[derive(Debug)]
pub(super) struct Batches(mpsc::Receiver<io::Result<Bytes>>);

impl Batches {
    pub(super) fn new(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self(receiver)
    }
}

impl http_body::Body for Batches {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let batch = ready!(self.get_mut().0.poll_recv(context));
        Poll::Ready(batch.map(|batch| batch.map(Frame::data)))
    }
}
