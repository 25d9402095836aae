//! An object that is open: where it lies in a file, it can be read from any place, by several readers.

use std::fmt;
use std::fs::File;
use std::io::Read;

/// What [`Store::object`](super::Store::object) gives.
#[non_exhaustive]
pub enum Object {
    /// A file of the store. It is only read; its offset means nothing.
    File(File),
    /// A stream, from beginning to end.
    Stream(Box<dyn Read + Send>),
}

impl Object {
    /// The content, from its beginning on.
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        match self {
            Self::File(file) => Box::new(file),
            Self::Stream(stream) => stream,
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Stream(_) => f.debug_tuple("Stream").finish_non_exhaustive(),
        }
    }
}
