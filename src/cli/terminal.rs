//! The terminal: the two streams of the process, with or without colours. What was asked for goes to the standard
//! output, everything else to the standard error.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};

use super::args::{ColorWhen, Common};
use crate::{Error, Exit, Failure, Paint, Result};

/// The streams. Whether they are terminals is found out when the first text is written.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    color: ColorChoice,
    json: bool,
    out: OnceLock<ColorChoice>,
    err: OnceLock<ColorChoice>,
}

impl Terminal {
    pub(super) fn new(common: &Common) -> Self {
        let color = match common.color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        Self { color, json: common.json, out: OnceLock::new(), err: OnceLock::new() }
    }

    /// Whether reports are wanted as JSON.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// How texts for the standard output are painted.
    pub(super) fn paint(&self) -> Paint {
        painted(self.out_choice())
    }

    /// How texts for the standard error are painted.
    pub(super) fn err_paint(&self) -> Paint {
        painted(self.err_choice())
    }

    /// Whether lines that change in place make sense: the standard error is a terminal that can do that.
    pub(super) fn is_live() -> bool {
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Writes a report.
    pub(super) fn report(&self, text: &str) -> Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.out_choice());
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|source| Error::Io { verb: "write to", path: PathBuf::from("standard output"), source })
    }

    /// Writes a report as JSON.
    pub(super) fn report_json(&self, report: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(report).map_err(|error| Error::User(error.into()))?;
        self.report(&(text + "\n"))
    }

    /// Says something besides. Nobody may be listening: that is no reason to stop.
    pub(super) fn say(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.err_choice());
        let _nobody_listens = err.write_all(text.as_bytes());
    }

    /// Says a line besides.
    pub(super) fn line(&self, text: &str) {
        self.say(&format!("{text}\n"));
    }

    /// Tells why nothing came of it, to people and to programs.
    pub(super) fn fail(&self, error: &Error) -> Exit {
        if matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe) {
            return Exit::Success; // who was reading has seen enough
        }
        let failure = Failure::of(error);
        self.say(&failure.text(self.err_paint()));
        if self.json {
            let line = serde_json::to_string(&failure).unwrap_or_default();
            let _nobody_listens = self.report(&(line + "\n"));
        }
        Exit::of_error(error)
    }

    fn out_choice(&self) -> ColorChoice {
        *self.out.get_or_init(|| choice(self.color, &io::stdout()))
    }

    fn err_choice(&self) -> ColorChoice {
        *self.err.get_or_init(|| choice(self.color, &io::stderr()))
    }
}

fn choice(color: ColorChoice, stream: &impl anstream::stream::RawStream) -> ColorChoice {
    match color {
        ColorChoice::Auto => AutoStream::choice(stream),
        chosen => chosen,
    }
}

fn painted(choice: ColorChoice) -> Paint {
    if choice == ColorChoice::Never { Paint::Never } else { Paint::Always }
}
