//! A client that sends exactly what a story says, and reads what comes back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A request, byte by byte.
#[derive(Clone)]
pub(super) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn body(self, body: impl AsRef<[u8]>) -> Self {
        Self { body: Some(body.as_ref().to_vec()), ..self }
    }

    fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = self.body.as_ref().filter(|_| !head.to_lowercase().contains("\r\ntransfer-encoding:")) {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head + "\r\n"
    }

    pub(super) fn send(&self, address: SocketAddr) -> Answer {
        let mut stream = connect(address);
        stream.write_all(self.head().as_bytes()).unwrap();
        // A server that refuses may close before it has read everything.
        _ = stream.write_all(self.body.as_deref().unwrap_or_default());
        Answer::read(&mut BufReader::new(stream), self.method == "HEAD")
    }
}

/// Whoever does not answer within that time hangs.
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends bytes as they are, and tells everything that comes back until the server closes.
pub(super) fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    _ = stream.write_all(bytes);
    _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

impl Answer {
    pub(super) fn read(stream: &mut impl BufRead, is_head: bool) -> Self {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
                None => break,
            }
        }
        let mut answer = Self { status, headers, body: Vec::new() };
        if status == 100 {
            return Self::read(stream, is_head);
        }
        if !is_head {
            answer.read_body(stream);
        }
        answer
    }

    fn read_body(&mut self, stream: &mut impl BufRead) {
        if self.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let size = u64::from_str_radix(line.trim(), 16).unwrap();
                stream.take(size).read_to_end(&mut self.body).unwrap();
                stream.read_line(&mut String::new()).unwrap();
                if size == 0 {
                    return;
                }
            }
        }
        let length = self.header("content-length").map_or(u64::MAX, |length| length.parse().unwrap());
        stream.take(length).read_to_end(&mut self.body).unwrap();
        assert!(length == u64::MAX || self.body.len() as u64 == length, "the answer broke off");
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The reason of a refusal.
    pub(super) fn detail(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}
