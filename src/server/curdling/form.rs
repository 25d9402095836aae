//! A form with a file in it (`multipart/form-data`, RFC 7578), as it streams by.
//!
//! `multer`, which others use, takes in as much as the network brings and holds whatever comes before the file. This holds a few
//! KiB and a part of the body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, header};
use bytes::{Buf, BytesMut};
use futures_core::Stream;
use memchr::memmem;

use crate::server::intake::next;
use crate::server::pace::Pace;
use crate::server::problem::Problem;

/// The longest head of a part.
const HEAD: usize = 8 << 10;

/// The most that may come before the field that is wanted, and behind it, but for a part of the body each.
const ASIDE: usize = 64 << 10;

/// The longest boundary that RFC 2046 allows.
const BOUNDARY: usize = 70;

/// The boundary of a request that has a form; `None` when it has something else.
///
/// # Errors
/// 400 for a form without a boundary.
pub(super) fn boundary(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let boundary = parameter(parameters, "boundary").filter(|text| (1..=BOUNDARY).contains(&text.len()));
    boundary.map(Some).ok_or_else(|| Problem::bad_request("the form has no boundary"))
}

/// Finds the field of a name; its content is the stream.
///
/// # Errors
/// 400 when there is none, or it is no form; 408 when it stalls.
pub(super) async fn field(body: Body, boundary: &str, name: &str, mut pace: Pace) -> Result<Field, Problem> {
    let (mut scanner, mut body) = (Scanner::new(boundary), body.into_data_stream());
    let (mut in_head, mut aside) = (false, 0);
    loop {
        let step = if in_head { scanner.head()? } else { scanner.skip() };
        match step {
            Step::Part(head) if is_called(&head, name) => return Ok(Field { scanner, body, after: None }),
            Step::Part(_) => in_head = false,
            Step::Boundary => in_head = true,
            Step::End => return Err(none()),
            Step::More => {
                let part = next(&mut body, &mut pace).await?.filter(|_| aside <= ASIDE).ok_or_else(none)?;
                aside += part.len();
                scanner.feed(&part);
            }
        }
    }
}

fn none() -> Problem {
    Problem::bad_request("the form has no field that is called like the file")
}

/// The content of a field, up to the next boundary.
pub(super) struct Field {
    scanner: Scanner,
    body: BodyDataStream,
    /// How much has come behind the field, once it is over.
    after: Option<usize>,
}

impl Stream for Field {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = self.get_mut();
        loop {
            if this.after.is_none() {
                let (content, is_over) = this.scanner.content();
                this.after = is_over.then_some(0);
                if !content.is_empty() {
                    return Poll::Ready(Some(Ok(content)));
                }
            }
            let part = ready!(Pin::new(&mut this.body).poll_next(context)).transpose();
            match (part.map_err(io::Error::other), &mut this.after) {
                (Ok(Some(part)), None) => this.scanner.feed(&part),
                // A client may want to be listened to until it has said everything.
                (Ok(Some(part)), Some(after)) if *after <= ASIDE => *after += part.len(),
                (_, Some(_)) => return Poll::Ready(None),
                (Ok(None), None) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                (Err(error), None) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// What has arrived of a form and was not looked at yet.
struct Scanner {
    buffer: BytesMut,
    /// What ends a part: a line break, two dashes, the boundary.
    delimiter: Vec<u8>,
}

/// What comes next in a form.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// More has to arrive.
    More,
    /// A boundary: a head follows, or the end.
    Boundary,
    /// The head of a part; its content follows.
    Part(Bytes),
    /// The end of the form.
    End,
}

impl Scanner {
    fn new(boundary: &str) -> Self {
        // The first boundary need not have a line before it.
        Self { buffer: BytesMut::from(&b"\r\n"[..]), delimiter: format!("\r\n--{boundary}").into_bytes() }
    }

    fn feed(&mut self, part: &[u8]) {
        self.buffer.extend_from_slice(part);
    }

    /// What certainly comes before the next boundary, and whether that is where it ends. The boundary is passed over.
    fn content(&mut self) -> (Bytes, bool) {
        match memmem::find(&self.buffer, &self.delimiter) {
            Some(at) => {
                let content = self.buffer.split_to(at).freeze();
                self.buffer.advance(self.delimiter.len());
                (content, true)
            }
            None => {
                let certain = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
                (self.buffer.split_to(certain).freeze(), false)
            }
        }
    }

    fn skip(&mut self) -> Step {
        match self.content() {
            (_, true) => Step::Boundary,
            (_, false) => Step::More,
        }
    }

    /// What comes behind a boundary.
    fn head(&mut self) -> Result<Step, Problem> {
        if self.buffer.starts_with(b"--") {
            return Ok(Step::End);
        }
        let is_head = b"\r\n".starts_with(self.buffer.get(..2).unwrap_or(&self.buffer));
        match memmem::find(&self.buffer, b"\r\n\r\n") {
            Some(end) if is_head && end <= HEAD => {
                let head = self.buffer.split_to(end).freeze();
                self.buffer.advance(4);
                Ok(Step::Part(head))
            }
            None if self.buffer.len() <= HEAD && (is_head || self.buffer[..] == *b"-") => Ok(Step::More),
            _ => Err(Problem::bad_request("that is no form")),
        }
    }
}

/// Whether the head of a part has that name.
fn is_called(head: &[u8], name: &str) -> bool {
    let head = String::from_utf8_lossy(head);
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut dispositions = fields.filter(|(field, _)| field.trim().eq_ignore_ascii_case("content-disposition"));
    let disposition = dispositions.next().and_then(|(_, value)| value.split_once(';'));
    disposition.is_some_and(|(_, parameters)| parameter(parameters, "name").as_deref() == Some(name))
}

/// A parameter of a header field: `a=b; name="c"`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = value(after);
        if key.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// The value that a text begins with, and what comes behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (value.trim().to_owned(), after);
    };
    let (mut value, mut characters) = (String::new(), quoted.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests;
