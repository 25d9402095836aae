//! A web server for tests that misbehaves to order: it serves one prepared answer per request and keeps the requests.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

/// What to do with one request.
pub(super) enum Answer {
    /// Status line and headers, then this body.
    Reply(String, Vec<u8>),
    /// Status line and headers, then the body in pieces of this size, each flushed.
    Pieces(String, Vec<u8>, usize),
    /// Status line and headers, then the body, then silence until the client goes away.
    Hang(String, Vec<u8>),
}

/// A running server; it ends with its last answer.
pub(super) struct Server {
    pub(super) url: String,
    requests: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl Answer {
    /// 200 with the whole body.
    pub(super) fn ok(body: &[u8]) -> Self {
        Self::Reply(head("200 OK", body.len(), ""), body.to_vec())
    }

    /// 200 that promises all of the body but breaks off after `count` bytes.
    pub(super) fn truncated(body: &[u8], count: usize) -> Self {
        Self::truncated_with(body, count, "ETag: \"v1\"\r\n")
    }

    /// The same with other headers.
    pub(super) fn truncated_with(body: &[u8], count: usize, headers: &str) -> Self {
        Self::Reply(head("200 OK", body.len(), headers), body[..count].to_vec())
    }

    /// 206 with what follows the first `start` bytes.
    pub(super) fn rest(body: &[u8], start: usize) -> Self {
        let range = format!("Content-Range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
        Self::Reply(head("206 Partial Content", body.len() - start, &range), body[start..].to_vec())
    }

    /// An empty answer with a status and further headers, each with its line end.
    pub(super) fn status(status: &str, headers: &str) -> Self {
        Self::Reply(head(status, 0, headers), Vec::new())
    }

    /// A redirect.
    pub(super) fn redirect(location: &str) -> Self {
        Self::status("302 Found", &format!("Location: {location}\r\n"))
    }

    /// 200 in small pieces.
    pub(super) fn pieces(body: &[u8], size: usize) -> Self {
        Self::Pieces(head("200 OK", body.len(), ""), body.to_vec(), size)
    }

    /// 200 with the first half of the body, then silence.
    pub(super) fn hang(body: &[u8]) -> Self {
        Self::Hang(head("200 OK", body.len(), ""), body[..body.len() / 2].to_vec())
    }
}

impl Server {
    /// A server on a free port of the loopback that gives these answers in this order.
    pub(super) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        let answers: Vec<_> = answers.into_iter().collect();
        let thread = std::thread::spawn(move || serve(&listener, answers, &sender));
        Self { url, requests, thread: Some(thread) }
    }

    /// The requests so far, in lower case, once all answers are given.
    pub(super) fn requests(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap();
        self.requests.try_iter().collect()
    }
}

fn head(status: &str, length: usize, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n")
}

fn serve(listener: &TcpListener, answers: Vec<Answer>, requests: &Sender<String>) {
    for answer in answers {
        let (stream, _) = listener.accept().unwrap();
        requests.send(request(&stream)).unwrap();
        // A client may go away before it has read everything: that is its right.
        let _ = reply(&stream, answer);
    }
}

fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.take_while(|line| !line.is_empty()).map(|line| line.to_lowercase() + "\n").collect()
}

fn reply(mut stream: &TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Reply(head, body) => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)
        }
        Answer::Pieces(head, body, size) => {
            stream.write_all(head.as_bytes())?;
            body.chunks(size).try_for_each(|piece| stream.write_all(piece))
        }
        Answer::Hang(head, body) => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        }
    }
}
