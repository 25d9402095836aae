//! The streams of one HTTP/2 connection: each has a window of its own, so a client may take nothing of one of them for ever,
//! while the connection is well. Nobody asks for more of its body then, and only a clock finds out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

use super::pace::Pace;

/// The bodies that are being sent, and until when the client has to have asked for more of each.
#[derive(Debug)]
pub(super) struct Streams {
    pace: Pace,
    used: Notify,
    deadlines: Mutex<(u64, HashMap<u64, Instant>)>,
}

impl Streams {
    pub(super) fn new(pace: Pace) -> Arc<Self> {
        Arc::new(Self { pace, used: Notify::new(), deadlines: Mutex::default() })
    }

    /// The same body, followed.
    pub(super) fn follow(self: &Arc<Self>, body: Body) -> Body {
        let mut deadlines = self.deadlines();
        deadlines.0 += 1;
        let id = deadlines.0;
        deadlines.1.insert(id, Instant::now() + self.pace.allowance(0));
        self.used.notify_one();
        Body::new(Followed { body, id, streams: self.clone() })
    }

    /// Ends when a client takes too little of a body.
    pub(super) async fn stalled(&self) {
        self.used.notified().await;
        while !self.deadlines().1.values().any(|deadline| *deadline < Instant::now()) {
            tokio::time::sleep(self.pace.patience() / 2).await;
        }
    }

    fn deadlines(&self) -> MutexGuard<'_, (u64, HashMap<u64, Instant>)> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Followed {
    body: Body,
    id: u64,
    streams: Arc<Streams>,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if polled.is_pending() {
            // It is our turn.
            this.streams.deadlines().1.remove(&this.id);
        }
        let frame = ready!(polled);
        let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
        let allowance: Duration = this.streams.pace.allowance(bytes as u64);
        this.streams.deadlines().1.insert(this.id, Instant::now() + allowance);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.streams.deadlines().1.remove(&self.id);
    }
}
