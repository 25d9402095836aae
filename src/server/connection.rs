//! Connections: how many there are, how long they may take, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Version;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tower_service::Service;

use super::listener::{Listener, Socket};
use super::options::ServerOptions;
use super::pace::{Pace, YEAR};
use super::patience::Patient;
use super::stop::{Phase, Stop};
use super::streams::{Stream, Streams};
use super::tls::Tls;
use crate::{Error, Result};

/// How long the door stays shut after the system had no descriptor for another client.
const BREATH: Duration = Duration::from_millis(100);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    /// Somebody at that address.
    Address(IpAddr),
    /// Somebody on this machine, by a Unix socket.
    Local,
}

/// The door: lets clients in, as many as there is room for.
#[derive(Clone)]
pub(super) struct Door {
    router: Router,
    tls: Option<Tls>,
    stop: Stop,
    room: Arc<Semaphore>,
    places: usize,
    head_timeout: Duration,
    pace: Pace,
}

impl Door {
    pub(super) fn new(router: Router, options: &ServerOptions, tls: Option<Tls>, stop: Stop) -> Self {
        let places = options.max_connections.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let (head_timeout, pace) = (options.head_timeout.min(YEAR), options.pace());
        Self { router, tls, stop, room: Arc::new(Semaphore::new(places)), places, head_timeout, pace }
    }

    /// Lets clients in until the server is stopped. The listener is closed then.
    pub(super) fn open(self, listener: Listener) -> Result<JoinHandle<()>> {
        let failed = |source| Error::Io { verb: "listen on", path: listener.to_string().into(), source };
        let acceptor = Acceptor::new(&listener.socket).map_err(failed)?;
        Ok(tokio::spawn(async move {
            tokio::select! {
                () = self.accept(&acceptor) => {}
                () = self.stop.reached(Phase::Closing) => {}
            }
            drop(listener);
        }))
    }

    /// Waits until the last client has gone.
    pub(super) async fn empty(&self) {
        // The semaphore is never closed.
        _ = self.room.acquire_many(u32::try_from(self.places).unwrap_or(u32::MAX)).await;
    }

    async fn accept(&self, acceptor: &Acceptor) {
        loop {
            let Ok(place) = self.room.clone().acquire_owned().await else { return };
            match acceptor {
                Acceptor::Tcp(socket) => match socket.accept().await {
                    Ok((stream, peer)) => {
                        // Small answers are not held back; a socket that cannot be told so is slower, no more.
                        _ = stream.set_nodelay(true);
                        self.greet(stream, Peer::Address(peer.ip().to_canonical()), self.tls.clone(), place);
                    }
                    Err(error) => pause_after(&error).await,
                },
                Acceptor::Unix(socket) => match socket.accept().await {
                    Ok((stream, _)) => self.greet(stream, Peer::Local, None, place),
                    Err(error) => pause_after(&error).await,
                },
            }
        }
    }

    fn greet<S>(&self, stream: S, peer: Peer, tls: Option<Tls>, place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let door = self.clone();
        let stream = Patient::new(stream, self.pace);
        tokio::spawn(async move {
            match tls {
                None => door.serve(stream, peer).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(door.head_timeout, tls.accept(stream));
                    // Who speaks no TLS, or shows no certificate that we trust, is not answered.
                    if let Ok(Ok(stream)) = handshake.await {
                        door.serve(stream, peer).await;
                    }
                }
            }
            drop(place);
        });
    }

    /// How HTTP is spoken.
    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.head_timeout);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(self.head_timeout).max_header_list_size(64 << 10);
        builder
    }

    async fn serve<S>(self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (spoke, streams) = (AtomicBool::new(false), Streams::new(self.pace));
        let service = service_fn(|mut request: hyper::Request<Incoming>| {
            spoke.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer);
            let stream = (request.version() == Version::HTTP_2).then(|| streams.begin());
            answer(self.router.clone().call(request), stream)
        });
        let builder = self.builder();
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        // A connection that breaks is its client's affair.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = silence(&spoke, self.head_timeout) => return,
            () = streams.stalled() => return,
            () = streams.idle(self.head_timeout) => {}
            () = self.stop.reached(Phase::Closing) => {}
        }
        connection.as_mut().graceful_shutdown();
        // A stream that is over for us may have a byte left that its client does not take.
        let left = async {
            tokio::time::sleep(self.pace.patience()).await;
            streams.idle(self.pace.patience()).await;
        };
        tokio::select! {
            _ = connection => {}
            () = streams.stalled() => {}
            () = left => {}
            () = self.stop.reached(Phase::Ended) => {}
        }
    }
}

/// An answer, whose body is followed if it goes by a stream.
async fn answer(
    answer: impl Future<Output = std::result::Result<Response, Infallible>>,
    stream: Option<Stream>,
) -> std::result::Result<Response, Infallible> {
    let answer = answer.await?;
    Ok(match stream {
        Some(stream) => answer.map(|body| stream.follow(body)),
        None => answer,
    })
}

/// Ends when a client has not made a request in time. Hyper's own time-out begins when it knows the version of HTTP.
async fn silence(spoke: &AtomicBool, limit: Duration) {
    tokio::time::sleep(limit).await;
    if spoke.load(Ordering::Relaxed) {
        std::future::pending().await
    }
}

enum Acceptor {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Acceptor {
    fn new(socket: &Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(socket) => Self::Tcp(tokio::net::TcpListener::from_std(socket.try_clone()?)?),
            Socket::Unix(socket) => Self::Unix(tokio::net::UnixListener::from_std(socket.try_clone()?)?),
        })
    }
}

/// A client that went away before it was let in is no reason to wait; a system without descriptors is.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tokio::time::sleep(BREATH).await;
    }
}
