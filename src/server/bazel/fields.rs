//! The fields of a message of Protocol Buffers, one after the other.
//!
//! That is all of the format that it takes to find a digest in a message: `protobuf.dev/programming-guides/encoding`.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number of variable length.
    Number(u64),
    /// A text, some bytes, or a message.
    Bytes(&'a [u8]),
    /// A number of four or eight bytes.
    Fixed,
}

/// The fields of a message, by number. One that is none is told once, and is the last.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(&'a [u8]);

/// A message is none: its bytes mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMessage;

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            // Groups are of the past, and the rest is nothing.
            _ => return None,
        };
        (tag > 7).then_some((tag >> 3, value))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Seven bits in each byte, the lowest first; the eighth says that there are more.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().take(10).position(|byte| *byte < 0x80)? + 1;
        let bytes = self.bytes(length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), NotAMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(NotAMessage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8]) -> Result<Vec<(u64, Value<'_>)>, NotAMessage> {
        Fields::of(message).collect()
    }

    #[test]
    fn fields_are_read_in_their_order() {
        let message = b"\x08\x96\x01\x12\x05beans\x1d\0\0\0\0\x21\0\0\0\0\0\0\0\0\x12\0";
        let fields = [
            (1, Value::Number(150)),
            (2, Value::Bytes(b"beans")),
            (3, Value::Fixed),
            (4, Value::Fixed),
            (2, Value::Bytes(b"")),
        ];
        assert_eq!(read(message), Ok(fields.to_vec()));
        assert_eq!(read(b""), Ok(vec![]));
    }

    #[test]
    fn what_is_no_message_is_told_once() {
        let endless = [0xff; 11];
        for odd in [
            &b"{\"moon\":1}"[..],
            b"cCsh",
            b"\x08",
            b"\x12\x06beans",
            b"\x1d\0",
            b"\x12\xff\xff\xff\xff\x0f",
            b"\0\0",
            &endless,
        ] {
            let told: Vec<_> = Fields::of(odd).filter(Result::is_err).collect();
            assert_eq!(told.len(), 1, "{odd:?}");
        }
    }
}
