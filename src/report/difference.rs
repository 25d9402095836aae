//! The difference of two outlines: which fields of a key are new, gone, or say something else.
//!
//! Fields of lists are labelled by number. A step put in front of others renumbers them without changing them, so
//! fields are matched in order, by their values and by their labels without numbers.

use serde::Serialize;

use crate::plan::{Field, Outline};

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// It was not there.
    Added {
        /// Where it stands now: `task/build/2/command/line`.
        label: String,
        /// What it says.
        after: String,
    },
    /// It is there no more.
    Removed {
        /// Where it stood.
        label: String,
        /// What it said.
        before: String,
    },
    /// It says something else.
    Changed {
        /// Where it stands now.
        label: String,
        /// What it said.
        before: String,
        /// What it says.
        after: String,
    },
}

impl Change {
    /// Where the field stands, or stood.
    pub fn label(&self) -> &str {
        match self {
            Self::Added { label, .. } | Self::Removed { label, .. } | Self::Changed { label, .. } => label,
        }
    }
}

/// Up to so many pairs of fields are compared; beyond, only equal beginnings and ends are found.
const PAIRS: usize = 1 << 22;

/// What changed, in the order of the fields.
pub(super) fn difference(before: &Outline, after: &Outline) -> Vec<Change> {
    let (before, after) = trim(&before.fields, &after.fields);
    let mut changes = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (next_old, next_new) in matches(before, after).into_iter().chain([(before.len(), after.len())]) {
        gap(&before[old..next_old], &after[new..next_new], &mut changes);
        (old, new) = (next_old + 1, next_new + 1);
    }
    changes
}

/// Both lists without what they have in common at their beginnings and ends.
fn trim<'f>(before: &'f [Field], after: &'f [Field]) -> (&'f [Field], &'f [Field]) {
    let common = before.iter().zip(after).take_while(|(old, new)| same(old, new)).count();
    let (before, after) = (&before[common..], &after[common..]);
    let common = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| same(old, new)).count();
    (&before[..before.len() - common], &after[..after.len() - common])
}

/// The places of a longest common subsequence.
fn matches(before: &[Field], after: &[Field]) -> Vec<(usize, usize)> {
    let width = after.len() + 1;
    if before.len().saturating_mul(width) > PAIRS {
        return Vec::new();
    }
    // lengths[old * width + new]: how much is common from there on
    let mut lengths = vec![0_u32; (before.len() + 1) * width];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            let (right, below) = (lengths[old * width + new + 1], lengths[(old + 1) * width + new]);
            let through = lengths[(old + 1) * width + new + 1] + 1;
            let common = if same(&before[old], &after[new]) { through } else { right.max(below) };
            lengths[old * width + new] = common;
        }
    }
    let mut found = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < before.len() && new < after.len() {
        if same(&before[old], &after[new]) {
            found.push((old, new));
            (old, new) = (old + 1, new + 1);
        } else if lengths[(old + 1) * width + new] >= lengths[old * width + new + 1] {
            old += 1;
        } else {
            new += 1;
        }
    }
    found
}

/// Between two matches: what went and what came, as changes where a label is among both.
fn gap(before: &[Field], after: &[Field], changes: &mut Vec<Change>) {
    let mut came: Vec<Option<&Field>> = after.iter().map(Some).collect();
    for old in before {
        let heir = came.iter_mut().find(|new| new.is_some_and(|new| place(new) == place(old)));
        changes.push(match heir.and_then(Option::take) {
            Some(new) => {
                Change::Changed { label: new.label.clone(), before: old.value.clone(), after: new.value.clone() }
            }
            None => Change::Removed { label: old.label.clone(), before: old.value.clone() },
        });
    }
    let new = came.into_iter().flatten();
    changes.extend(new.map(|new| Change::Added { label: new.label.clone(), after: new.value.clone() }));
}

fn same(old: &Field, new: &Field) -> bool {
    old.value == new.value && place(old) == place(new)
}

/// A label without the numbers of list items, for comparing.
fn place(field: &Field) -> impl PartialEq + use<'_> {
    let numbered = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    field.label.split('/').filter(numbered).collect::<Vec<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(fields: &[(&str, &str)]) -> Outline {
        let field = |(label, value): &(&str, &str)| Field { label: (*label).into(), value: (*value).into() };
        Outline { fields: fields.iter().map(field).collect() }
    }

    fn step(number: usize, line: &str) -> (String, String) {
        (format!("task/build/{number}/command/line"), line.to_owned())
    }

    fn steps(lines: &[&str]) -> Outline {
        let steps: Vec<_> = lines.iter().enumerate().map(|(at, line)| step(at + 1, line)).collect();
        outline(&steps.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect::<Vec<_>>())
    }

    #[test]
    fn equal_outlines_do_not_differ() {
        assert_eq!(difference(&steps(&["a", "b"]), &steps(&["a", "b"])), []);
    }

    #[test]
    fn a_value_that_changed_is_one_change() {
        let changes = difference(&outline(&[("v", "1"), ("x", "same")]), &outline(&[("v", "2"), ("x", "same")]));
        let expected = Change::Changed { label: "v".into(), before: "1".into(), after: "2".into() };
        assert_eq!(changes, [expected]);
    }

    #[test]
    fn a_step_in_front_leaves_the_others_as_they_are() {
        let changes = difference(&steps(&["make", "make install"]), &steps(&["./configure", "make", "make install"]));
        let (label, after) = step(1, "./configure");
        assert_eq!(changes, [Change::Added { label, after }]);
    }

    #[test]
    fn a_step_that_went_and_one_that_changed_are_told_apart() {
        let changes = difference(&steps(&["a", "b", "c", "d"]), &steps(&["a", "c", "e"]));
        let (label, before) = step(2, "b");
        let (new, after) = step(3, "e");
        let changed = Change::Changed { label: new, before: "d".into(), after };
        assert_eq!(changes, [Change::Removed { label, before }, changed]);
    }
}
