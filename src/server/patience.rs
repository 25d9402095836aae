//! Patience: how long a client may take nothing, or little, of what is sent to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::pace::Pace;

/// A stream whose writes fail when the other side has taken nothing for some time, or next to nothing.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    pace: Pace,
    /// Runs while a write waits.
    deadline: Pin<Box<Sleep>>,
    /// Since when a write waits.
    waits: Option<Instant>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, pace: Pace) -> Self {
        Self { stream, pace, deadline: Box::pin(sleep(pace.patience())), waits: None }
    }

    /// What becomes of a write, or of what comes after it; `moved` tells the bytes that it has written.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        moved: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(written) = written {
            let waited = self.waits.take().map(|since| since.elapsed()).unwrap_or_default();
            let keeps = written.as_ref().map_or(true, |done| self.pace.keeps(waited, moved(done) as u64));
            return Poll::Ready(if keeps { written } else { Err(slow("the client takes too little")) });
        }
        if self.waits.is_none() {
            let now = Instant::now();
            self.waits = Some(now);
            self.deadline.as_mut().reset(now + self.pace.patience());
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(slow("the client takes nothing")))
    }
}

fn slow(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, problem)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.judge(context, written, |bytes| *bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.judge(context, written, |bytes| *bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.judge(context, flushed, |()| 0)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.stream).poll_shutdown(context);
        this.judge(context, shut, |()| 0)
    }
}
