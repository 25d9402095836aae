//! Contents of a promised size: exactly so many bytes, or an error that says what broke off.

use std::io::{self, Read};

use crate::text;

/// Reads what has a size, and fails where the size was not kept.
#[derive(Debug)]
pub(super) struct Sized<R> {
    inner: R,
    /// The bytes there will be, if that is known.
    size: Option<u64>,
    /// The bytes there may be.
    limit: u64,
    bytes: u64,
    /// What is read, for errors on the way; an error of the content itself is passed on as it is.
    what: Option<String>,
}

impl<R> Sized<R> {
    pub(super) fn new(inner: R, size: Option<u64>, limit: u64) -> Self {
        Self { inner, size, limit, bytes: 0, what: None }
    }

    /// Says what is read, as `get of `a` from there`.
    pub(super) fn named(self, what: String) -> Self {
        Self { what: Some(what), ..self }
    }

    fn tell(&self, error: io::Error) -> io::Error {
        match &self.what {
            Some(what) if error.kind() != io::ErrorKind::Interrupted => {
                io::Error::new(error.kind(), format!("{what} broke off after {}: {error}", text::bytes(self.bytes)))
            }
            _ => error,
        }
    }

    fn check(&self, ended: bool) -> io::Result<()> {
        match self.size {
            Some(size) if ended && self.bytes < size => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("it ended after {} of {}", text::bytes(self.bytes), text::bytes(size)),
            )),
            Some(size) if self.bytes > size => {
                Err(io::Error::other(format!("it is larger than {}, which it was said to be", text::bytes(size))))
            }
            _ if self.bytes > self.limit => {
                Err(io::Error::other(format!("it is larger than {}, the limit", text::bytes(self.limit))))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| self.tell(error))?;
        self.bytes += count as u64;
        self.check(count == 0 && !buffer.is_empty()).map_err(|error| self.tell(error))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(size: Option<u64>, limit: u64) -> Result<usize, String> {
        let mut content = Vec::new();
        Sized::new(&b"beans"[..], size, limit).read_to_end(&mut content).map_err(|error| error.to_string())
    }

    #[test]
    fn a_size_is_kept_or_the_content_is_refused() {
        assert_eq!(read(Some(5), 9), Ok(5));
        assert_eq!(read(None, 5), Ok(5));
        assert_eq!(read(Some(9), 9), Err("it ended after 5 B of 9 B".into()));
        assert_eq!(read(Some(4), 9), Err("it is larger than 4 B, which it was said to be".into()));
        assert_eq!(read(None, 4), Err("it is larger than 4 B, the limit".into()));
    }
}
