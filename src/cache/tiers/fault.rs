//! A fault: how one operation on one tier failed.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::cache::miss::Miss;
use crate::cache::offer::Kept;
use crate::text;

/// How an operation on a tier failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// There was no answer in time.
    TimedOut(Duration),
    /// Nobody listens there.
    Refused(String),
    /// The tier answered that we may not. It is there, and others may.
    Forbidden(String),
    /// It answered that it does not understand us: it takes no such names, say. It is there, and may understand others.
    Unfit(String),
    /// It failed in another way.
    Failed(String),
    /// It was given up with everything else that was under way there, because another operation had timed out.
    Left,
}

impl Fault {
    /// What an error of a store means. The kinds of `io::Error` in its causes tell it: that is how a store says it.
    pub(super) fn of(error: &anyhow::Error, limit: Option<Duration>) -> Self {
        let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        let told = kinds.filter_map(|kind| match kind {
            io::ErrorKind::ConnectionRefused => Some(Fault::Refused(format!("{error:#}"))),
            io::ErrorKind::PermissionDenied => Some(Fault::Forbidden(format!("{error:#}"))),
            io::ErrorKind::InvalidInput => Some(Fault::Unfit(format!("{error:#}"))),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Some(Fault::TimedOut(limit.unwrap_or_default())),
            _ => None,
        });
        told.into_iter().next().unwrap_or_else(|| Fault::Failed(format!("{error:#}")))
    }

    pub(super) fn miss(&self) -> Miss {
        match self {
            Fault::TimedOut(_) => Miss::TimedOut,
            Fault::Refused(reason) | Fault::Forbidden(reason) => Miss::Refused(reason.clone()),
            Fault::Unfit(reason) | Fault::Failed(reason) => Miss::Failed(reason.clone()),
            Fault::Left => Miss::Skipped,
        }
    }

    pub(super) fn kept(&self) -> Kept {
        match self {
            Fault::TimedOut(_) => Kept::TimedOut,
            Fault::Refused(reason) | Fault::Forbidden(reason) | Fault::Unfit(reason) | Fault::Failed(reason) => {
                Kept::Failed(reason.clone())
            }
            Fault::Left => Kept::Skipped,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TimedOut(limit) if limit.is_zero() => f.write_str("no answer in time"),
            Fault::TimedOut(limit) => write!(f, "no answer within {}", text::duration(*limit)),
            Fault::Refused(reason) | Fault::Forbidden(reason) | Fault::Unfit(reason) | Fault::Failed(reason) => {
                f.write_str(reason)
            }
            Fault::Left => f.write_str("it has failed before and is left alone"),
        }
    }
}
