//! The diagnosis: checks, what each has found, and what to do about it.

use serde::Serialize;

use super::JSON_FORMAT;
use super::exit::Exit;
use super::paint::{Ink, Paint};

/// What checks have found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

/// A check and what it has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at: `store far`.
    pub subject: String,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// All is well; what was found out.
    Well {
        /// In words.
        found: String,
    },
    /// Something may be meant so, or not.
    Doubtful {
        /// What.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// Something is wrong.
    Wrong {
        /// What.
        problem: String,
        /// What to do about it, or empty.
        remedy: String,
    },
}

impl Diagnosis {
    /// What these checks come to.
    pub fn new(checks: Vec<Check>) -> Self {
        let healthy = !checks.iter().any(|check| matches!(check.verdict, Verdict::Wrong { .. }));
        Self { format: JSON_FORMAT, healthy, checks }
    }

    /// How a program ends that made these checks.
    pub fn exit(&self) -> Exit {
        if self.healthy { Exit::Success } else { Exit::Failed }
    }

    /// The diagnosis for people.
    pub fn text(&self, paint: Paint) -> String {
        let checks: String = self.checks.iter().map(|check| check.text(paint)).collect();
        let end = if self.healthy { "all is well\n" } else { "something is wrong\n" };
        checks + end
    }
}

impl Check {
    /// A check of something.
    pub fn new(subject: impl Into<String>, verdict: Verdict) -> Self {
        Self { subject: subject.into(), verdict }
    }

    fn text(&self, paint: Paint) -> String {
        let (ink, word, what, remedy) = match &self.verdict {
            Verdict::Well { found } => (Ink::Good, "well", found, ""),
            Verdict::Doubtful { problem, remedy } => (Ink::Warn, "doubtful", problem, remedy.as_str()),
            Verdict::Wrong { problem, remedy } => (Ink::Bad, "wrong", problem, remedy.as_str()),
        };
        let line = format!("{} {}: {what}\n", paint.text(ink, &format!("{word:8}")), self.subject);
        if remedy.is_empty() { line } else { format!("{line}         {remedy}\n") }
    }
}

impl Verdict {
    /// All is well.
    pub fn well(found: impl Into<String>) -> Self {
        Self::Well { found: found.into() }
    }

    /// Something may be meant so, or not.
    pub fn doubtful(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Doubtful { problem: problem.into(), remedy: remedy.into() }
    }

    /// Something is wrong.
    pub fn wrong(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Wrong { problem: problem.into(), remedy: remedy.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_a_remedy() {
        let checks = vec![
            Check::new("configuration", Verdict::well("2 keys are set")),
            Check::new("store far", Verdict::wrong("it does not answer", "start it")),
        ];
        let diagnosis = Diagnosis::new(checks);
        let expected = "well     configuration: 2 keys are set\nwrong    store far: it does not answer\n         start it\n\
                        something is wrong\n";
        assert_eq!(diagnosis.text(Paint::Never), expected);
        assert_eq!(diagnosis.exit(), Exit::Failed);
    }
}
