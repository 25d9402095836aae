//! A feed: what comes out of an asynchronous stream, piece by piece, for whoever is not asynchronous.

use std::io::{self, Read};
use std::pin::Pin;
use std::time::Duration;

use anyhow::anyhow;
use futures_core::Stream;
use opendal::Buffer;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

use super::runtime::Runtime;
use crate::text;

/// Pieces that wait to be taken.
const AHEAD: usize = 4;

/// The pieces of a stream. The last message is `None`: whoever fills the feed may die, and that is no end.
pub(super) struct Feed<T> {
    pieces: Receiver<Option<anyhow::Result<T>>>,
    ended: bool,
}

impl<T: Send + 'static> Feed<T> {
    /// Begins to take pieces out of a stream, for so long at most. It stops when the feed is dropped.
    pub(super) fn start<S>(runtime: &Runtime, limit: Duration, stream: S) -> anyhow::Result<Self>
    where
        S: Stream<Item = opendal::Result<T>> + Unpin + Send + 'static,
    {
        let (sender, pieces) = channel(AHEAD);
        runtime.handle()?.spawn(fill(sender, limit, stream));
        Ok(Self { pieces, ended: false })
    }
}

async fn fill<T, S>(sender: Sender<Option<anyhow::Result<T>>>, limit: Duration, mut stream: S)
where
    S: Stream<Item = opendal::Result<T>> + Unpin,
{
    let deadline = Instant::now().checked_add(limit);
    let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(u64::from(u32::MAX)));
    loop {
        let next = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context));
        let piece = match timeout_at(deadline, next).await {
            Ok(piece) => piece.map(|piece| piece.map_err(Into::into)),
            Err(_) => Some(Err(anyhow!("it took longer than {}", text::duration(limit)))),
        };
        let last = !matches!(piece, Some(Ok(_)));
        if sender.send(piece).await.is_err() || last {
            return;
        }
    }
}

impl<T> Iterator for Feed<T> {
    type Item = anyhow::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let piece = pollster::block_on(self.pieces.recv()).unwrap_or_else(|| Some(Err(anyhow!("it ended early"))));
        self.ended = !matches!(piece, Some(Ok(_)));
        piece
    }
}

/// A feed of bytes, to be read.
pub(super) struct Pieces {
    feed: Feed<Buffer>,
    current: Buffer,
    /// Makes the message of an error.
    tell: Box<dyn Fn(&anyhow::Error) -> String + Send>,
}

impl Pieces {
    pub(super) fn new(feed: Feed<Buffer>, tell: impl Fn(&anyhow::Error) -> String + Send + 'static) -> Self {
        Self { feed, current: Buffer::new(), tell: Box::new(tell) }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.feed.next() {
                None => return Ok(0),
                Some(Ok(piece)) => self.current = piece,
                Some(Err(error)) => return Err(io::Error::other((self.tell)(&error))),
            }
        }
        self.current.read(buffer)
    }
}
