//! Cuts a stream of bytes into lines, in bounded memory.
//!
//! Bytes are handed on as they came: no encoding is assumed and a carriage return is a byte like any other.

/// The unfinished last line of a stream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// A line longer than this is handed on in pieces of this length.
    pub(crate) const LONGEST: usize = 1 << 20;

    /// Takes the next bytes of the stream and hands on the lines that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) if self.partial.is_empty() => on_line(end),
                Some(end) => {
                    self.hold(end, on_line);
                    on_line(&self.partial);
                    self.partial.clear();
                }
                None => self.hold(piece, on_line),
            }
        }
    }

    /// The stream has ended: hands on the last line if it lacks its newline.
    pub(crate) fn finish(&mut self, on_line: &mut dyn FnMut(&[u8])) {
        if !self.partial.is_empty() {
            on_line(&self.partial);
            self.partial.clear();
        }
    }

    fn hold(&mut self, piece: &[u8], on_line: &mut dyn FnMut(&[u8])) {
        if self.partial.len() + piece.len() > Self::LONGEST {
            self.finish(on_line);
        }
        self.partial.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        let mut on_line = |line: &[u8]| seen.push(String::from_utf8_lossy(line).into_owned());
        chunks.iter().for_each(|chunk| lines.feed(chunk, &mut on_line));
        lines.finish(&mut on_line);
        seen
    }

    #[test]
    fn lines_do_not_depend_on_how_the_stream_was_cut() {
        let whole = lines_of(&[b"one\n\ntwo\nthree"]);
        assert_eq!(whole, ["one", "", "two", "three"]);
        assert_eq!(lines_of(&[b"on", b"e\n", b"\ntwo\nth", b"r", b"ee"]), whole);
    }

    #[test]
    fn a_finished_last_line_is_not_followed_by_an_empty_one() {
        assert_eq!(lines_of(&[b"one\n"]), ["one"]);
        assert_eq!(lines_of(&[]), Vec::<String>::new());
    }

    #[test]
    fn an_endless_line_comes_in_pieces_and_complete() {
        let chunk = [b'x'; 8192];
        let (mut lines, mut total) = (Lines::default(), 0);
        for _ in 0..1000 {
            lines.feed(&chunk, &mut |piece| total += piece.len());
            assert!(lines.partial.capacity() <= 2 * Lines::LONGEST, "memory stays flat");
        }
        lines.finish(&mut |piece| total += piece.len());
        assert_eq!(total, 1000 * chunk.len());
    }
}
