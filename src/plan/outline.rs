//! The outline of a key: the fields that count into it, for people.

use serde::{Deserialize, Serialize};

use super::reader::Reader;

/// One field of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Where the field stands: `build/2/command`.
    pub label: String,
    /// Its value; bytes that are not UTF-8 are replaced, secrets are shown as digests.
    pub value: String,
}

/// All fields of a key, in the order in which they are hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outline {
    /// The fields.
    pub fields: Vec<Field>,
}

/// Collects the fields that it is told.
#[derive(Default)]
pub(super) struct Collector {
    outline: Outline,
    groups: Vec<Group>,
}

struct Group {
    label: String,
    counted: usize,
}

impl Collector {
    pub(super) fn finish(self) -> Outline {
        self.outline
    }

    /// The place of a field: its groups' labels and its own; a field without a label is numbered.
    fn place(&mut self, label: &str) -> String {
        let Some(group) = self.groups.last_mut() else { return label.to_owned() };
        group.counted += 1;
        match label {
            "" => format!("{}/{}", group.label, group.counted),
            "is" => group.label.clone(),
            label => format!("{}/{label}", group.label),
        }
    }
}

impl Reader for Collector {
    fn bytes(&mut self, label: &str, value: &[u8]) {
        let label = self.place(label);
        self.outline.fields.push(Field { label, value: String::from_utf8_lossy(value).into_owned() });
    }

    fn open(&mut self, label: &str, _count: usize) {
        let label = match (label.split_once('#'), self.groups.last_mut()) {
            (Some((_, kind)), Some(group)) => {
                group.counted += 1;
                format!("{}/{}/{kind}", group.label, group.counted)
            }
            _ => self.place(label),
        };
        self.groups.push(Group { label, counted: 0 });
    }

    fn close(&mut self) {
        self.groups.pop();
    }
}
