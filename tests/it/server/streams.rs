//! Streams of HTTP/2, as a real client takes them, or does not.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::http::Request;
use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, SendRequest};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::served::Served;

/// Whatever does not happen within that time does not happen.
const EVER: Duration = Duration::from_secs(30);

/// Tells a story on a thread of its own.
fn tell<T>(story: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(story)
}

/// A connection whose streams have a window of so many bytes each.
struct Client {
    send: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(served: &Served, window: u32) -> Self {
        let stream = TcpStream::connect(served.address).await.unwrap();
        let (send, connection) = Builder::new().initial_window_size(window).handshake(stream).await.unwrap();
        Self { send, connection: tokio::spawn(connection) }
    }

    async fn get(&mut self, path: &str) -> RecvStream {
        self.send.clone().ready().await.unwrap();
        let request = Request::get(format!("http://here{path}")).body(()).unwrap();
        let answer = self.send.send_request(request, true).unwrap().0.await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    /// Whether the server ends the connection.
    async fn ends(self) -> bool {
        timeout(EVER, self.connection).await.is_ok()
    }
}

/// Reads a body to its end, and makes room for so many bytes after a pause.
async fn take(mut body: RecvStream, bytes: usize, pause: Duration) -> Result<usize, h2::Error> {
    let (mut taken, mut room) = (0, 0);
    while let Some(part) = body.data().await {
        let count = part?.len();
        (taken, room) = (taken + count, room + count);
        if room >= bytes {
            // A client's own slowness.
            sleep(pause).await;
            body.flow_control().release_capacity(std::mem::take(&mut room))?;
        }
    }
    Ok(taken)
}

#[test]
fn a_stream_that_stops_half_way_is_not_waited_for() {
    let served = Served::with(|options| options.stall_timeout = Duration::from_millis(200));
    // Of the first one most is left when the window is full, of the second one next to nothing.
    for size in [1 << 20, 65_600] {
        assert_eq!(served.put(&format!("of-{size}"), vec![1; size]).status, 201);
        tell(async {
            let mut client = Client::connect(&served, 65_535).await;
            let mut body = client.get(&format!("/v1/artifacts/of-{size}")).await;
            assert!(timeout(EVER, body.data()).await.unwrap().unwrap().is_ok());
            assert!(client.ends().await, "{size}");
        });
    }
    // It is told of when it is over, which a client may know a moment earlier.
    let (begun, is_told) = (Instant::now(), || served.events().iter().any(|event| event.contains("complete: false")));
    while !is_told() && begun.elapsed() < EVER {
        std::thread::yield_now();
    }
    assert!(is_told(), "{:?}", served.events());
}

#[test]
fn a_stream_that_keeps_the_pace_is_waited_for() {
    // A hundred times as long as each pause, and not as long as all of them.
    let served = Served::with_object(250_000, |options| options.stall_timeout = Duration::from_secs(2));
    let taken = tell(async {
        let mut client = Client::connect(&served, 4096).await;
        take(client.get("/v1/artifacts/a").await, 2048, Duration::from_millis(20)).await
    });
    assert_eq!(taken.unwrap(), 250_000);
}

#[test]
fn a_stream_that_is_sipped_ends_and_the_others_go_on() {
    let served = Served::with_object(32 << 20, |options| {
        options.stall_timeout = Duration::from_millis(200);
        options.min_rate = 1 << 30;
    });
    tell(async {
        let mut client = Client::connect(&served, 65_535).await;
        let sipped = take(client.get("/v1/artifacts/a").await, 32 << 10, Duration::from_millis(20)).await;
        assert!(sipped.is_err());
        assert_eq!(take(client.get("/healthz").await, 1, Duration::ZERO).await.unwrap(), 3);
    });
}

#[test]
fn a_connection_without_a_request_ends() {
    let served = Served::with(|options| options.head_timeout = Duration::from_secs(1));
    tell(async {
        let mut client = Client::connect(&served, 65_535).await;
        assert_eq!(take(client.get("/healthz").await, 1, Duration::ZERO).await.unwrap(), 3);
        assert!(client.ends().await);
    });
}
