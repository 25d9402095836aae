//! The streams of one HTTP/2 connection: each has a window of its own, so a client may take nothing of one of them for ever,
//! while the connection is well. Nobody asks for more of its body then, and only a clock finds out.
//!
//! What was handed over of a body is out of sight until all of it was taken. So it is handed over in small pieces: whoever keeps
//! the pace asks for the next one within the time that a client may do nothing.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

use super::pace::Pace;

/// The most bytes that are handed over at once: a frame of HTTP/2 has no more unless a client asks for it.
const PIECE: usize = 16 << 10;

/// The requests that are being answered.
#[derive(Debug)]
pub(super) struct Streams {
    pace: Pace,
    changed: Notify,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    last: u64,
    /// Since when the client of each is waited for; `None` while it waits for us.
    waits: HashMap<u64, Option<Instant>>,
    /// When there was something to do last.
    busy: Instant,
}

/// A request that is being answered. Dropped, it is over.
#[derive(Debug)]
pub(super) struct Stream {
    id: u64,
    streams: Arc<Streams>,
}

impl Streams {
    pub(super) fn new(pace: Pace) -> Arc<Self> {
        let open = Open { last: 0, waits: HashMap::new(), busy: Instant::now() };
        Arc::new(Self { pace, changed: Notify::new(), open: Mutex::new(open) })
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        let mut open = self.open();
        open.last += 1;
        let id = open.last;
        open.waits.insert(id, None);
        Stream { id, streams: self.clone() }
    }

    /// Ends when a client has taken nothing of a body for too long.
    pub(super) async fn stalled(&self) {
        let patience = self.pace.patience();
        loop {
            let first = self.open().waits.values().flatten().min().copied();
            match first.map(|since| patience.saturating_sub(since.elapsed())) {
                None => self.changed.notified().await,
                Some(Duration::ZERO) => return,
                // Whoever is waited for from now on has more time than that.
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    /// Ends when there was a request, and no other for some time.
    pub(super) async fn idle(&self, limit: Duration) {
        loop {
            let left = {
                let open = self.open();
                match open.last > 0 && open.waits.is_empty() {
                    true => limit.saturating_sub(open.busy.elapsed()),
                    false => limit,
                }
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// The body of its answer, followed.
    pub(super) fn follow(self, body: Body) -> Body {
        self.waits(Some(Instant::now()));
        let (piece, pace) = (self.streams.pace.piece(PIECE), self.streams.pace);
        Body::new(Followed { body, rest: Bytes::new(), piece, pace, handed: None, stream: self })
    }

    /// Sets since when the client is waited for.
    fn waits(&self, since: Option<Instant>) {
        self.streams.open().waits.insert(self.id, since);
        if since.is_some() {
            self.streams.changed.notify_one();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.waits.remove(&self.id);
        open.busy = Instant::now();
    }
}

struct Followed {
    body: Body,
    /// What was read of it, and not handed over.
    rest: Bytes,
    /// The most bytes that are handed over at once.
    piece: usize,
    pace: Pace,
    /// When something was handed over, and how many bytes, if nobody has asked for more since.
    handed: Option<(Instant, usize)>,
    stream: Stream,
}

impl Followed {
    /// Somebody asks for more: all that was handed over before is taken.
    fn settle(&mut self) -> Result<(), axum::Error> {
        let Some((since, bytes)) = self.handed.take() else { return Ok(()) };
        match self.pace.keeps(since.elapsed(), bytes as u64) {
            true => Ok(()),
            false => Err(axum::Error::new(io::Error::new(io::ErrorKind::TimedOut, "the client takes too little"))),
        }
    }

    /// The last byte goes alone: whoever asks for it has taken all the others, and the body is not over before.
    fn hand_over(&mut self) -> Frame<Bytes> {
        let all_but_one = self.rest.len().saturating_sub(1).max(1);
        let piece = self.rest.split_to(self.rest.len().min(all_but_one).min(self.piece));
        let now = Instant::now();
        self.handed = Some((now, piece.len()));
        self.stream.waits(Some(now));
        Frame::data(piece)
    }
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.settle()?;
        if this.rest.is_empty() {
            // It is our turn.
            this.stream.waits(None);
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => this.rest = bytes,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        Poll::Ready(Some(Ok(this.hand_over())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
