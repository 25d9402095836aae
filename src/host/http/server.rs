//! A web server for tests that misbehaves to order: it serves one prepared answer per request and keeps the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// What to do with one request.
pub(crate) enum Answer {
    /// Status line and headers, then this body.
    Reply(String, Vec<u8>),
    /// The same, without reading what the request brings along.
    Refusal(String),
    /// Status line and headers, then the body in pieces of this size, each flushed.
    Pieces(String, Vec<u8>, usize),
    /// Status line and headers, then the body, then silence until the client goes away.
    Hang(String, Vec<u8>),
    /// Status line and headers, then bytes without an end until the client goes away.
    Endless(String),
    /// The same, but one byte each time so much of it has passed.
    Drip(String, Duration),
}

/// A running server; it ends with its last answer.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl Answer {
    /// 200 with the whole body.
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::Reply(head("200 OK", body.len(), ""), body.to_vec())
    }

    /// 200 that promises all of the body but breaks off after `count` bytes.
    pub(crate) fn truncated(body: &[u8], count: usize) -> Self {
        Self::truncated_with(body, count, "ETag: \"v1\"\r\n")
    }

    /// The same with other headers.
    pub(crate) fn truncated_with(body: &[u8], count: usize, headers: &str) -> Self {
        Self::Reply(head("200 OK", body.len(), headers), body[..count].to_vec())
    }

    /// 200 with a body in chunks, of which the last is missing.
    pub(crate) fn cut_off(body: &[u8]) -> Self {
        let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat();
        Self::Reply(open_head("Transfer-Encoding: chunked\r\n"), chunk)
    }

    /// 200 with a body of which nothing says where it ends.
    pub(crate) fn unmarked(body: &[u8]) -> Self {
        Self::Reply(open_head(""), body.to_vec())
    }

    /// 206 with what follows the first `start` bytes.
    pub(crate) fn rest(body: &[u8], start: usize) -> Self {
        let range = format!("Content-Range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
        Self::Reply(head("206 Partial Content", body.len() - start, &range), body[start..].to_vec())
    }

    /// An empty answer with a status and further headers, each with its line end.
    pub(crate) fn status(status: &str, headers: &str) -> Self {
        Self::Reply(head(status, 0, headers), Vec::new())
    }

    /// The same before the content of the request has arrived.
    pub(crate) fn refusal(status: &str) -> Self {
        Self::Refusal(head(status, 0, ""))
    }

    /// A redirect.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::status("302 Found", &format!("Location: {location}\r\n"))
    }

    /// 200 in small pieces.
    pub(crate) fn pieces(body: &[u8], size: usize) -> Self {
        Self::Pieces(head("200 OK", body.len(), ""), body.to_vec(), size)
    }

    /// 200 with the first half of the body, then silence.
    pub(crate) fn hang(body: &[u8]) -> Self {
        Self::Hang(head("200 OK", body.len(), ""), body[..body.len() / 2].to_vec())
    }

    /// Nothing at all.
    pub(crate) fn silence() -> Self {
        Self::Hang(String::new(), Vec::new())
    }

    /// 200 with a body that never ends.
    pub(crate) fn endless() -> Self {
        Self::Endless(open_head("Transfer-Encoding: chunked\r\n"))
    }

    /// 200 with a body that would take years.
    pub(crate) fn drip(pace: Duration) -> Self {
        Self::Drip(head("200 OK", 1 << 30, ""), pace)
    }
}

impl Server {
    /// A server on a free port of the loopback that gives these answers in this order.
    pub(crate) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        let answers: Vec<_> = answers.into_iter().collect();
        let thread = std::thread::spawn(move || serve(&listener, answers, &sender));
        Self { url, requests, thread: Some(thread) }
    }

    /// The requests so far, in lower case, once all answers are given. What came along follows an empty line.
    pub(crate) fn requests(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap();
        self.requests.try_iter().collect()
    }
}

fn head(status: &str, length: usize, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n")
}

fn open_head(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n")
}

fn serve(listener: &TcpListener, answers: Vec<Answer>, requests: &Sender<String>) {
    for answer in answers {
        let (stream, _) = listener.accept().unwrap();
        requests.send(request(&stream, &answer)).unwrap();
        // A client may go away before it has read everything: that is its right.
        let _ = reply(&stream, answer);
    }
}

fn request(mut stream: &TcpStream, answer: &Answer) -> String {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map(Result::unwrap);
    let request: String = lines.take_while(|line| !line.is_empty()).map(|line| line.to_lowercase() + "\n").collect();
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let Some(length) = length.filter(|_| !matches!(answer, Answer::Refusal(_))) else { return request };
    if request.contains("expect: 100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    let mut content = Vec::new();
    reader.take(length).read_to_end(&mut content).unwrap();
    request + "\n" + &String::from_utf8_lossy(&content)
}

fn reply(mut stream: &TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Reply(head, body) => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)
        }
        Answer::Refusal(head) => stream.write_all(head.as_bytes()),
        Answer::Pieces(head, body, size) => {
            stream.write_all(head.as_bytes())?;
            body.chunks(size).try_for_each(|piece| stream.write_all(piece))
        }
        Answer::Hang(head, body) => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        }
        Answer::Endless(head) => {
            stream.write_all(head.as_bytes())?;
            let chunk = [b"10000\r\n", [b'x'; 0x10000].as_slice(), b"\r\n"].concat();
            loop {
                stream.write_all(&chunk)?;
            }
        }
        Answer::Drip(head, pace) => {
            stream.write_all(head.as_bytes())?;
            stream.set_read_timeout(Some(pace))?;
            // Nothing more comes from the client: reading is how to wait, and to notice that it is gone.
            while stream.read(&mut [0]).map_or(true, |count| count > 0) {
                stream.write_all(b"x")?;
            }
            Ok(())
        }
    }
}
