//! OpenDAL's requests on our own HTTP client: one way to trust, to wait, to redirect and to try again for all stores,
//! and no second HTTP and TLS library.

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use tokio::sync::{mpsc, oneshot};
use ureq::Body;
use ureq::http::{HeaderValue, Method, Request, Response, header};

use super::sized::Sized;
use crate::host::http::{self, Address, Client, Content, extent};

/// The bytes that are taken off a connection at once.
const PIECE: usize = 256 << 10;

/// The largest body whose size is not announced. Objects have one; what else there is, OpenDAL holds in memory.
const UNANNOUNCED: u64 = 64 << 20;

/// Sends what OpenDAL wants sent, each request from a thread of its own.
pub(super) struct Transport {
    pub(super) client: Client,
}

type Answer = opendal::Result<(Response<()>, Option<u64>)>;
type Piece = opendal::Result<Buffer>;

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let (head, answer) = oneshot::channel();
        let (pieces, body) = mpsc::channel(2);
        let client = self.client.clone();
        tokio::task::spawn_blocking(move || exchange(&client, request, head, &pieces));
        let (answer, size) = answer.await.map_err(|_| failure("the request ended early"))??;
        Ok(answer.map(|()| HttpBody::new(Arriving { body, ended: false }, size)))
    }
}

fn exchange(client: &Client, request: Request<Buffer>, head: oneshot::Sender<Answer>, pieces: &mpsc::Sender<Piece>) {
    let bodiless = request.method() == Method::HEAD;
    let answer = send(client, request).and_then(|answer| {
        let none = bodiless || matches!(answer.status().as_u16(), 204 | 304);
        let size = if none { Some(0) } else { extent(&answer)? };
        Ok((answer, size))
    });
    match answer {
        Err(error) => _ = head.send(Err(failure(&format!("{error:#}")))),
        Ok((answer, size)) => {
            let (parts, body) = answer.into_parts();
            if head.send(Ok((Response::from_parts(parts, ()), size))).is_ok() {
                pump(body, size, pieces);
            }
        }
    }
}

fn send(client: &Client, request: Request<Buffer>) -> anyhow::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let address = Address::parse(&parts.uri.to_string())?;
    let mut headers = parts.headers;
    if !body.is_empty() {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(body.len()));
    }
    let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(body.clone())) };
    let content = if headers.contains_key(header::CONTENT_LENGTH) { Content::Again(&open) } else { Content::Nothing };
    client.send(http::Request { method: parts.method, address: &address, headers, content })
}

/// Passes a body on until it ends or nobody wants more of it. The last piece is empty.
fn pump(body: Body, size: Option<u64>, pieces: &mpsc::Sender<Piece>) {
    let limit = size.map_or(UNANNOUNCED, |_| u64::MAX);
    let mut reader = Sized::new(body.into_reader(), size, limit);
    loop {
        let mut piece = vec![0; PIECE];
        let piece = match reader.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Err(failure(&format!("the answer broke off: {error}"))),
            Ok(count) => {
                piece.truncate(count);
                Ok(Buffer::from(piece))
            }
        };
        let last = !matches!(&piece, Ok(piece) if !piece.is_empty());
        if pieces.blocking_send(piece).is_err() || last {
            return;
        }
    }
}

/// A body as it arrives.
struct Arriving {
    body: mpsc::Receiver<Piece>,
    ended: bool,
}

impl Stream for Arriving {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.body.poll_recv(context).map(|piece| {
            let piece = piece.unwrap_or_else(|| Err(failure("the answer ended early")));
            self.ended = !matches!(&piece, Ok(piece) if !piece.is_empty());
            Some(piece).filter(|piece| !matches!(piece, Ok(piece) if piece.is_empty()))
        })
    }
}

fn failure(reason: &str) -> Error {
    Error::new(ErrorKind::Unexpected, reason)
}
