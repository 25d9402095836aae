//! Versions of packages, and what may be asked of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use pep440_rs::{Operator, VersionSpecifier};

/// A version. Those of PEP 440 are in its order; others come before them, in the order of their texts.
#[derive(Debug, Clone)]
pub(in crate::server) struct Version {
    text: String,
    known: Option<pep440_rs::Version>,
}

impl Version {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), known: text.parse().ok() }
    }

    /// Whether it is one of PEP 440.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    /// Versions that are equal by PEP 440, such as `1.0` and `1.0.0`, are told apart by their texts.
    fn cmp(&self, other: &Self) -> Ordering {
        self.known.cmp(&other.known).then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Something that is asked of a version: `>=1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Constraint {
    /// As PEP 440 has it.
    Known(VersionSpecifier),
    /// To be, or not to be, that very text.
    Text { text: String, is_meant: bool },
}

impl Constraint {
    pub(super) fn is_met(&self, version: &Version) -> bool {
        match (self, &version.known) {
            (Self::Known(specifier), Some(known)) => specifier.contains(known),
            (Self::Known(specifier), None) => *specifier.operator() == Operator::NotEqual,
            (Self::Text { text, is_meant }, _) => (version.text == *text) == *is_meant,
        }
    }
}

impl FromStr for Constraint {
    type Err = ();

    /// `==1.0`, `>= 1.0`, or a version alone, which is that very one.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let operators = ["==", "!=", "<=", ">=", "<", ">"];
        let operator = operators.into_iter().find(|operator| text.starts_with(operator));
        let version = text.strip_prefix(operator.unwrap_or_default()).unwrap_or(text).trim();
        let is_version = |c: char| c.is_ascii_alphanumeric() || ".+!-_*".contains(c);
        if version.is_empty() || !version.chars().all(is_version) {
            return Err(());
        }
        let operator = operator.unwrap_or("==");
        match (format!("{operator}{version}").parse(), operator) {
            (Ok(specifier), _) => Ok(Self::Known(specifier)),
            (Err(_), "==" | "!=") => Ok(Self::Text { text: version.to_owned(), is_meant: operator == "==" }),
            (Err(_), _) => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_pep_440() {
        let order = [
            "banana",
            "zebra",
            "0.9",
            "1.0.dev1",
            "1.0a1",
            "1.0rc1",
            "1.0",
            "1.0.post1",
            "1.2",
            "1.10",
            "2.0b1",
            "1!0.1",
        ];
        let mut sorted: Vec<_> = order.iter().rev().map(|text| Version::new(text)).collect();
        sorted.sort();
        assert_eq!(sorted.iter().map(|version| version.text.as_str()).collect::<Vec<_>>(), order);
        assert_ne!(Version::new("1.0"), Version::new("1.0.0"));
    }

    #[test]
    fn constraints_hold_or_not() {
        let met =
            |constraint: &str, version: &str| constraint.parse::<Constraint>().unwrap().is_met(&Version::new(version));
        for (constraint, version) in [
            ("==1.0", "1.0.0"),
            ("1.0", "1.0"),
            (">= 1.0", "1.10"),
            ("<=1.10", "1.2"),
            ("<2", "1.99"),
            (">1.0", "1.1"),
            ("!=1.0", "1.1"),
            ("==1.*", "1.7"),
            ("==beta-x", "beta-x"),
            ("!=beta-x", "1.0"),
            ("!=1.0", "beta-x"),
        ] {
            assert!(met(constraint, version), "{version} {constraint}");
        }
        for (constraint, version) in [
            ("==1.0", "1.0.1"),
            (">=1.10", "1.9"),
            ("<1.10", "1.10"),
            ("!=1.0", "1.0.0"),
            ("==beta-x", "beta-y"),
            (">=1", "beta-x"),
        ] {
            assert!(!met(constraint, version), "{version} {constraint}");
        }
    }

    #[test]
    fn what_is_no_constraint_is_told_apart() {
        for bad in ["", "==", ">=beta-x", "==1.0/..", "=>1", "~=", "== 1 2", ">=1;whl"] {
            assert!(bad.parse::<Constraint>().is_err(), "{bad}");
        }
    }
}
