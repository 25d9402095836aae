//! Leftovers: what a client still sends when its answer is made.
//!
//! Many clients look for an answer when they have sent everything. Were the connection closed before, the system would
//! reset it, and they would never learn that they had no right to write, or that the object was too large: Gradle, for
//! one, gives up on a cache then. So what is left of a body is read and thrown away, within bounds.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The most bytes that are thrown away.
const MOST: u64 = 1 << 30;

/// How long a client may send them.
const LONGEST: Duration = Duration::from_secs(30);

/// How long it may send nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// Sees to it that the body of a request is read to its end, or nearly so.
///
/// Who waits to be asked for it (`Expect`) is not to send it any more, and HTTP/2 has a word for that.
pub(super) fn finish(request: Request) -> Request {
    if request.version() == Version::HTTP_2 || request.headers().contains_key(header::EXPECT) {
        return request;
    }
    request.map(|body| if body.is_end_stream() { body } else { Body::new(Finished { body, is_over: false }) })
}

/// A body that is read to its end when nobody wants any more of it.
struct Finished {
    body: Body,
    is_over: bool,
}

impl HttpBody for Finished {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        this.is_over = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        let body = mem::take(&mut self.body);
        // Where there is no runtime any more, there is no connection either.
        if !self.is_over
            && !body.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(LONGEST, throw_away(body)));
        }
    }
}

async fn throw_away(mut body: Body) -> io::Result<()> {
    let mut left = MOST;
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        match timeout(PAUSE, frame).await? {
            Some(Ok(frame)) => left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64)),
            _ => return Ok(()),
        }
        if left == 0 {
            return Ok(());
        }
    }
}
