//! The screen: the terminal behind the standard error, as the live display draws on it.
//!
//! The library that draws fills each line with spaces, so that the next one begins by wrapping, and leaves the cursor at
//! the right edge. What the terminal itself shows there when someone presses Ctrl-C would begin a line that nobody counts.
//! So lines are a little narrower here, end with a newline, and the cursor stays where the text of the last one ends.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};
use rustix::termios::tcgetwinsize;

/// Columns for `^C`.
const MARGIN: u16 = 3;
const USUAL: (u16, u16) = (80, 24);
/// Drawings in a second.
const RATE: u8 = 20;

#[derive(Debug, Default)]
pub(super) struct Screen {
    drawing: Mutex<Drawing>,
}

/// What is to be shown, gathered until it is complete, so that nothing flickers.
#[derive(Debug, Default)]
struct Drawing {
    text: String,
    /// Whether the last line has its whole text.
    ended: bool,
}

impl Screen {
    /// A place for lines that change, on the standard error.
    pub(super) fn open() -> MultiProgress {
        MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(Self::default()), RATE))
    }

    fn draw(&self, draw: impl FnOnce(&mut Drawing)) -> io::Result<()> {
        draw(&mut self.drawing.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// One of the "cursor movement" sequences of ECMA-48.
    fn travel(&self, distance: usize, direction: char) -> io::Result<()> {
        match distance {
            0 => Ok(()),
            _ => self.draw(|drawing| drawing.text.push_str(&format!("\x1b[{distance}{direction}"))),
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().0.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.travel(lines, 'A')
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.travel(lines, 'B')
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.travel(columns, 'C')
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.travel(columns, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text).and_then(|()| self.write_str(" "))
    }

    /// A line's text, or the spaces that fill it.
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(|drawing| {
            let filler = text.trim_start_matches(' ').is_empty();
            if !filler {
                drawing.text.push_str(if drawing.ended { "\r\n" } else { "" });
                drawing.text.push_str(text);
            }
            drawing.ended = filler;
        })
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw(|drawing| {
            drawing.text.push_str("\r\x1b[2K");
            drawing.ended = false;
        })
    }

    fn flush(&self) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        io::stderr().write_all(std::mem::take(&mut drawing.text).as_bytes())
    }
}

/// Columns and lines.
fn size() -> (u16, u16) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => USUAL,
    }
}
