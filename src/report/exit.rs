//! The exit code: what a program that runs cortado tells whoever started it.

use std::process::ExitCode;

use crate::error::Error;
use crate::run::Report;

/// How a program that runs cortado ends. The codes are part of the interface and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Exit {
    /// All is well.
    Success = 0,
    /// A task failed, or the machine did not play along.
    Failed = 1,
    /// The command line, the recipe or the choice of directories has a mistake in it.
    Usage = 2,
    /// The cache failed, and the policy says that this matters.
    Cache = 3,
    /// The run was interrupted.
    Interrupted = 130,
}

impl Exit {
    /// The number that the system is told.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// How a program ends that could not do what it was asked for.
    pub fn of_error(error: &Error) -> Self {
        match error {
            Error::Cache { .. } | Error::Unready { .. } => Self::Cache,
            Error::Interrupted => Self::Interrupted,
            Error::Task { source, .. } => match source.root() {
                Error::Cache { .. } => Self::Cache,
                _ => Self::Failed,
            },
            Error::Invalid { .. }
            | Error::Recipe { .. }
            | Error::Cycle { .. }
            | Error::Unknown { .. }
            | Error::Duplicate { .. }
            | Error::Foreign { .. }
            | Error::Newer { .. } => Self::Usage,
            _ => Self::Failed,
        }
    }

    /// How a program ends that ran a project. A task that failed by itself outweighs one that the cache failed.
    pub fn of_report(report: &Report) -> Self {
        if report.interrupted {
            return Self::Interrupted;
        }
        let failures: Vec<_> =
            report.tasks.iter().filter_map(|task| task.error.as_deref()).map(Self::of_error).collect();
        match failures.first() {
            None if report.success() => Self::Success,
            Some(_) if failures.iter().all(|exit| *exit == Self::Cache) => Self::Cache,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_recipe_got_wrong_is_not_what_a_task_got_wrong() {
        let invalid = || Error::Invalid { place: "x".into(), problem: "y".into(), hint: String::new() };
        let task = Error::Task { task: "zlib".into(), log: None, source: Box::new(invalid()) };
        assert_eq!((Exit::of_error(&invalid()), Exit::of_error(&task)), (Exit::Usage, Exit::Failed));
    }

    #[test]
    fn a_cache_that_matters_has_a_code_of_its_own() {
        let cache = Error::Cache { operation: "fetch", tag: "t".into(), reason: "down".into() };
        let task = Error::Task { task: "zlib".into(), log: None, source: Box::new(cache) };
        assert_eq!(Exit::of_error(&task).code(), 3);
    }
}
