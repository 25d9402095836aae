//! Taking the preface off an object.

use std::io::{self, Read};

use super::preface::{LONGEST, Preface};
use crate::Object;
use crate::server::problem::Problem;
use crate::server::shelf::Found;
use crate::server::site::Site;

/// The preface of an object with its length, and the object; a stream then stands behind it. `None` when it has none.
pub(super) async fn split(site: &Site, found: Found) -> Result<Option<(Preface, u64, Found)>, Problem> {
    match found {
        Found::File(file, look, known) => {
            let bytes = site.shelf.beginning(&file, LONGEST).await?;
            Ok(Preface::parse(&bytes).map(|(preface, length)| (preface, length, Found::File(file, look, known))))
        }
        Found::Stream(object) => {
            let split = site.shelf.work(|_| Ok(split_stream(object.into_reader())?)).await?;
            Ok(split.map(|(preface, length, rest)| (preface, length, Found::Stream(Object::Stream(rest)))))
        }
    }
}

type Stream = Box<dyn Read + Send>;

/// The preface of a stream with its length, and what follows.
pub(super) fn split_stream(mut stream: Stream) -> io::Result<Option<(Preface, u64, Stream)>> {
    let mut bytes = Vec::new();
    (&mut stream).take(LONGEST).read_to_end(&mut bytes)?;
    let Some((preface, length)) = Preface::parse(&bytes) else { return Ok(None) };
    let rest = io::Cursor::new(bytes.split_off(length as usize)).chain(stream);
    Ok(Some((preface, length, Box::new(rest))))
}
