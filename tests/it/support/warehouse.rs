//! A well-behaved web server that keeps objects in memory: what `HttpStore` expects of one, and nothing more.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A name's content, and the `Cortado-…` headers it came with.
type Objects = Mutex<BTreeMap<String, (Vec<u8>, Vec<String>)>>;

/// What a server does beyond the least.
#[derive(Clone, Copy, Default)]
pub(crate) struct Skills {
    /// It lists its objects as lines of JSON.
    pub(crate) lists: bool,
    /// It does not know conditional PUTs, as many do not.
    pub(crate) ignores_conditions: bool,
}

/// A running server. It ends when it is dropped, each of its threads with its client.
pub(crate) struct Warehouse {
    pub(crate) url: String,
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Warehouse {
    pub(crate) fn open(skills: Skills) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let closed = Arc::<AtomicBool>::default();
        let told = closed.clone();
        std::thread::spawn(move || {
            let objects = Arc::<Objects>::default();
            for stream in listener.incoming().map_while(|stream| stream.ok().filter(|_| !told.load(Ordering::SeqCst))) {
                let objects = objects.clone();
                // A client that breaks off gets no answer.
                std::thread::spawn(move || serve(&stream, &objects, skills));
            }
        });
        Self { url: format!("http://{address}/artifacts"), address, closed }
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener.
        _ = TcpStream::connect(self.address);
    }
}

struct Request {
    method: String,
    name: String,
    headers: Vec<String>,
    content: Vec<u8>,
}

impl Request {
    fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|line| line == header)
    }
}

fn serve(stream: &TcpStream, objects: &Objects, skills: Skills) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = receive(&mut reader, stream)? {
        answer(stream, &request, objects, skills)?;
    }
    Ok(())
}

fn receive(reader: &mut impl BufRead, mut stream: &TcpStream) -> io::Result<Option<Request>> {
    let Some(first) = line(reader)? else { return Ok(None) };
    let mut headers = Vec::new();
    while let Some(header) = line(reader)?.filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').unwrap();
        headers.push(format!("{}: {}", name.to_lowercase(), value.trim()));
    }
    let value = |name: &str| headers.iter().find_map(|header| header.strip_prefix(name)?.strip_prefix(": "));
    if value("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let content = match (value("content-length"), value("transfer-encoding")) {
        (Some(length), _) => exactly(reader, length.parse().unwrap())?,
        (None, Some(_)) => chunks(reader)?,
        (None, None) => Vec::new(),
    };
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap());
    Ok(Some(Request { method, name: path.strip_prefix("/artifacts/").unwrap().to_owned(), headers, content }))
}

fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    Ok((reader.read_line(&mut line)? > 0).then(|| line.trim_end().to_owned()))
}

fn exactly(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut content = vec![0; length];
    reader.read_exact(&mut content)?;
    Ok(content)
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let size = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = usize::from_str_radix(&size, 16).unwrap();
        content.extend(exactly(reader, size)?);
        line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if size == 0 {
            return Ok(content);
        }
    }
}

fn answer(stream: &TcpStream, request: &Request, objects: &Objects, skills: Skills) -> io::Result<()> {
    let mut objects = objects.lock().unwrap();
    let (name, with_body) = (request.name.as_str(), request.method != "HEAD");
    match (request.method.as_str(), objects.get(name)) {
        ("GET", None) if name.is_empty() && skills.lists => {
            let mut lines: String = objects
                .iter()
                .map(|(name, (content, _))| format!("{{\"name\":\"{name}\",\"size\":{}}}\n", content.len()))
                .collect();
            lines += "{\"end\":true}\n";
            respond(stream, "200 OK", &["Content-Type: application/x-ndjson".into()], lines.as_bytes(), true)
        }
        ("GET" | "HEAD", Some((content, headers))) => respond(stream, "200 OK", headers, content, with_body),
        ("PUT", Some((_, headers))) if request.has("if-none-match: *") && !skills.ignores_conditions => {
            respond(stream, "412 Precondition Failed", headers, b"", true)
        }
        ("PUT", _) => {
            let labels = request.headers.iter().filter(|header| header.starts_with("cortado-")).cloned().collect();
            objects.insert(name.to_owned(), (request.content.clone(), labels));
            respond(stream, "201 Created", &[], b"", true)
        }
        ("DELETE", Some(_)) => {
            objects.remove(name);
            respond(stream, "204 No Content", &[], b"", true)
        }
        _ => respond(stream, "404 Not Found", &[], b"not here", with_body),
    }
}

fn respond(mut stream: &TcpStream, status: &str, headers: &[String], body: &[u8], send: bool) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    if !status.starts_with("204") {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    headers.iter().for_each(|header| head += &format!("{header}\r\n"));
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(if send { body } else { b"" })
}
